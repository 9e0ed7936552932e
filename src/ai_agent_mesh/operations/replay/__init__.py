"""Anyone's records, counted from files and judged as the ledger's entries are, without a database."""  # noqa: E501

from ai_agent_mesh.operations.replay.answer import Answer, Answers, answers, stated, under
from ai_agent_mesh.operations.replay.checking import Asked
from ai_agent_mesh.operations.replay.facts import (
    FileUnusable,
    NothingToJudge,
    PathsInvalid,
    RowInvalid,
)
from ai_agent_mesh.operations.replay.model import Form, Format, Reading
from ai_agent_mesh.operations.replay.paths import PathRow, read_paths
from ai_agent_mesh.operations.replay.service import Files, Replay
from ai_agent_mesh.operations.replay.text import as_lines, side_by_side
from ai_agent_mesh.operations.replay.whatif import Changed, Priced, changed, priced, whatif_lines

__all__ = [
    "Answer",
    "Answers",
    "Asked",
    "Changed",
    "FileUnusable",
    "Files",
    "Form",
    "Format",
    "NothingToJudge",
    "PathRow",
    "PathsInvalid",
    "Priced",
    "Reading",
    "Replay",
    "RowInvalid",
    "answers",
    "as_lines",
    "changed",
    "priced",
    "read_paths",
    "side_by_side",
    "stated",
    "under",
    "whatif_lines",
]
