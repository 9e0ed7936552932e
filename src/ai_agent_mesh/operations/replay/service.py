"""Reads files once, and answers what each tenant's minutes were."""

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.planned import Maintenance
from ai_agent_mesh.operations.replay.announced import announced
from ai_agent_mesh.operations.replay.checking import Asked
from ai_agent_mesh.operations.replay.context import Shown, shown
from ai_agent_mesh.operations.replay.counting import count, prepare
from ai_agent_mesh.operations.replay.engine import Engine, Progress
from ai_agent_mesh.operations.replay.facts import FileEmpty, NothingToJudge
from ai_agent_mesh.operations.replay.files import opened
from ai_agent_mesh.operations.replay.logs import LOGS
from ai_agent_mesh.operations.replay.model import Form, Format, Origin, Reading
from ai_agent_mesh.operations.replay.paths import PathRow
from ai_agent_mesh.operations.replay.relations import relation
from ai_agent_mesh.operations.replay.store import CountStore
from ai_agent_mesh.operations.statements import Evidence, silence
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import moment_of


@dataclass(frozen=True, slots=True)
class Files:
    """Which files are read, and how."""

    names: Sequence[str]
    form: Form
    format: Format | None = None
    paths: Sequence[PathRow] = ()
    maintenance: str | None = None

    @property
    def name_tenants(self) -> bool:
        """Tell whether the rows say whose they are."""
        return self.form is Form.RECORDS and self.format not in LOGS


class Replay(AbstractContextManager["Replay"]):
    """Files that were read and counted, for as long as it is open.

    An exported ledger brings the playbook that judges the month, in place of `playbook` unless that
    was `given` with the question. So with maintenance, which a file may give.
    """

    def __init__(
        self,
        files: Files,
        asked: Asked,
        playbook: Playbook,
        progress: Progress | None = None,
        *,
        given: bool = False,
    ) -> None:
        self._files, self._asked = files, asked
        #: What the rows are judged by, once they are read.
        self.playbook = playbook
        self._playbook_from = Origin.GIVEN if given else Origin.INSTALLED
        self._works_from: Origin | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="mesh-sla-")
        self._engine = Engine(Path(self._folder.name), progress)
        self._works: tuple[Maintenance, ...] = ()
        self._unread: tuple[str, ...] = ()

    def __enter__(self) -> "Replay":
        try:
            self._read()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._engine.close()
        self._folder.cleanup()

    def _read(self) -> None:
        given, form = self._files, self._files.form
        files = [opened(name, Path(self._folder.name), given.format) for name in given.names]
        found = [relation(file, form, self._engine, given.paths) for file in files]
        ledgers = [file for file in files if file.format is Format.LEDGER]
        self._heed(shown(self._engine, ledgers, Month.of(self._asked.span.since)))
        prepare(self._engine, self.playbook)
        for file, rows in zip(files, found, strict=True):
            count(self._engine, file, rows, form, self._asked)
        self._unread = tuple(dict.fromkeys(name for rows in found for name in rows.unread))
        self._check_found()
        if self._asked.apart:
            self._store.sort()

    def _heed(self, ledger: Shown) -> None:
        """Take what the ledgers among the files bring, where nothing else was given."""
        if self._playbook_from is Origin.INSTALLED and ledger.playbook is not None:
            self.playbook, self._playbook_from = ledger.playbook, Origin.RECORDS
        if self._files.maintenance is not None:
            self._works, self._works_from = self._announced(self._files.maintenance), Origin.GIVEN
        elif works := ledger.works(self._asked.span):
            self._works, self._works_from = works, Origin.RECORDS

    def _announced(self, name: str) -> tuple[Maintenance, ...]:
        folder = Path(self._folder.name)
        try:
            file = opened(name, folder, None)
        except FileEmpty:
            return ()  # nothing was announced
        found = relation(file, Form.MAINTENANCE, self._engine)
        works = announced(self._engine, file, found)
        return tuple(work for work in works if work.span.overlap(self._asked.span))

    def _check_found(self) -> None:
        """Let nothing pass for a judgement that no row stands behind."""
        reading = self.reading()
        if reading.judged:
            return
        why = [f"{rows} {reason}" for reason, rows in reading.ignored.items()] or [
            "there is no row"
        ]
        raise self._nothing(reading, "; ".join(why))

    def _nothing(self, reading: Reading, reason: str) -> NothingToJudge:
        span = self._asked.span
        of = f" of {self._asked.tenant}" if self._asked.tenant else ""
        return NothingToJudge(
            span=f"{span.since.date()} to {span.until.date()}{of}",
            files=", ".join(reading.files),
            reason=reason,
        )

    def reading(self) -> Reading:
        """Return what was found in the files."""
        found = self._store.reading(tuple(self._files.names), self._unread)
        return replace(found, playbook_from=self._playbook_from, maintenance_from=self._works_from)

    def tenants(self) -> list[str]:
        """Return whose calls there are, in alphabetical order; all as one are "".

        Raises:
            NothingToJudge: tenants are kept apart, and all rows are the probe's.
        """
        if not self._asked.apart:
            return [""]
        owners = self._store.owners()
        if not owners:
            raise self._nothing(self.reading(), "all rows are the probe's")
        return owners

    def evidence(self, owner: str = "") -> Evidence:
        """Return what the calls of an owner and of the probe come to."""
        store, span = self._store, self._asked.span
        calls = store.calls(owner) if self._files.form is Form.RECORDS else ()
        watches = {
            service: silence(moment_of(first), span, store.spoken(service))
            for service, first in store.first_probes().items()
            if moment_of(first) < span.until
        }
        return Evidence(span, store.minutes(owner), watches, calls, self._works)

    @property
    def _store(self) -> CountStore:
        return CountStore(self._engine)
