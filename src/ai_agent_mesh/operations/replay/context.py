"""What an exported ledger brings besides calls: the playbook of a month, and its maintenance."""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from ai_agent_mesh.evidence import Batch, Check, Entry, EntryUnreadable, Grounds, Line, PlaybookText
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.planned import Maintenance, as_of, drawn
from ai_agent_mesh.operations.replay.engine import Engine
from ai_agent_mesh.operations.replay.facts import FileUnusable
from ai_agent_mesh.operations.replay.files import File
from ai_agent_mesh.playbook import Playbook

# Of batches the last one before the month and the first one from then on, whatever their order. Few
# entries of many announce anything: the word is looked for before they are taken apart.
_PIECES = """
WITH pieces AS MATERIALIZED (
  SELECT json, json ->> '$.type' AS type, (json ->> '$.batch')::BIGINT AS batch,
         try_cast(json ->> '$.at' AS TIMESTAMPTZ) AS "at"
  FROM read_ndjson_objects($path, hive_partitioning = false, compression = $packed)
  WHERE json ->> '$.type' IN ('batch', 'playbook') OR contains(json::VARCHAR, '"maintenance.')
)
SELECT json FROM pieces WHERE type IN ('entry', 'playbook')
UNION ALL
(SELECT json FROM pieces WHERE type = 'batch' AND "at" < $since ORDER BY batch DESC LIMIT 1)
UNION ALL
(SELECT json FROM pieces WHERE type = 'batch' AND "at" >= $since ORDER BY batch LIMIT 1)
"""
_DECODER = msgspec.json.Decoder(Batch | PlaybookText | Line)


class Shown:
    """What the ledgers among some files show of a month."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._file = ""
        self._grounds = Grounds([month], self._amiss)

    def read(self, engine: Engine, file: File) -> None:
        """Read one more file.

        Raises:
            FileUnusable: something in it cannot be read.
        """
        self._file = file.name
        parameters = {
            "path": file.pattern, "packed": file.compression, "since": self._month.since,
        }  # fmt: skip
        for (text,) in engine.read(file, _PIECES, parameters):
            try:
                self._take(_DECODER.decode(text))
            except (msgspec.DecodeError, EntryUnreadable) as error:
                raise FileUnusable(file=file.name, reason=str(error)) from error

    @property
    def playbook(self) -> Playbook | None:
        """Return the one that judges the month, where the files show which it is and its text."""
        (turn,) = self._grounds.turns
        if turn.judge is None or turn.gap:
            return None
        return self._grounds.playbooks.get(turn.judge.playbook)

    def works(self, span: Span) -> tuple[Maintenance, ...]:
        """Return the announced works that touch a span, as the last act left each.

        Raises:
            FileUnusable: an announcement lacks a fact.
        """
        inorder = sorted(self._grounds.acts, key=lambda act: (act.entry.at, act.entry.id))
        try:
            return as_of(drawn(inorder), datetime.max.replace(tzinfo=UTC), span)
        except EntryUnreadable as fact:
            raise FileUnusable(file=self._file, reason=fact.detail) from fact

    def _take(self, piece: Batch | PlaybookText | Line) -> None:
        match piece:
            case Batch():
                self._grounds.batch(piece)
            case PlaybookText():
                self._grounds.playbook(piece)
            case Line():
                entry = Entry.decode(piece.text.encode())
                self._grounds.entry(piece.number, entry, piece.digest)

    def _amiss(self, check: Check, place: str, reason: str) -> None:
        raise FileUnusable(file=self._file, reason=f"{check} {place}: {reason}")


def shown(engine: Engine, files: Iterable[File], month: Month) -> Shown:
    """Return what some exported ledgers show of a month; raises as `Shown.read`."""
    found = Shown(month)
    for file in files:
        found.read(engine, file)
    return found
