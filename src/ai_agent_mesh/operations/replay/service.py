"""Reads files once, and answers what each tenant's minutes were."""

import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ai_agent_mesh.operations.planned import Maintenance, Numbered
from ai_agent_mesh.operations.replay.announced import acts, announced, proven
from ai_agent_mesh.operations.replay.checking import Asked
from ai_agent_mesh.operations.replay.counting import count, prepare
from ai_agent_mesh.operations.replay.engine import Engine, Progress
from ai_agent_mesh.operations.replay.facts import FileEmpty, NothingToJudge
from ai_agent_mesh.operations.replay.files import opened
from ai_agent_mesh.operations.replay.logs import LOGS
from ai_agent_mesh.operations.replay.model import Form, Format, Reading
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
    """Files that were read and counted, for as long as it is open."""

    def __init__(
        self, files: Files, asked: Asked, playbook: Playbook, progress: Progress | None = None
    ) -> None:
        self._files, self._asked, self._playbook = files, asked, playbook
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
        prepare(self._engine, self._playbook)
        self._works = self._announced()
        unread: list[str] = []
        said: list[Numbered] = []
        for name in self._files.names:
            file = opened(name, Path(self._folder.name), self._files.format)
            found = relation(file, self._files.form, self._engine, self._files.paths)
            count(self._engine, file, found, self._files.form, self._asked)
            unread += found.unread
            if file.format is Format.LEDGER:
                said += acts(self._engine, file)
        if said:
            self._works += proven(file, said, self._asked.span)
        self._unread = tuple(dict.fromkeys(unread))
        self._check_found()

    def _announced(self) -> tuple[Maintenance, ...]:
        name = self._files.maintenance
        if name is None:
            return ()
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
        return self._store.reading(tuple(self._files.names), self._unread)

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
