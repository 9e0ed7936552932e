"""Files of records, and what they are counted as."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.operations.replay import Answer, Asked, Files, Form, Format, Replay, answers
from ai_agent_mesh.playbook import Playbook, default

SEPTEMBER = Month(2026, 9)

#: Writes a file and returns its path.
Write = Callable[[str, str | bytes], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into the test's folder."""

    def written(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return written


def judged(
    *names: str,
    form: Form = Form.RECORDS,
    how: Format | None = None,
    asked: Asked | None = None,
    month: Month = SEPTEMBER,
    maintenance: str | None = None,
    playbook: Playbook | None = None,
) -> Answer:
    """Return what an enterprise tenant would be told of these files."""
    book = playbook or default()
    asked = asked or Asked(month.span)
    files = Files(names, form, how, maintenance=maintenance)
    with Replay(files, asked, book) as replay:
        evidence, reading = replay.evidence(), replay.reading()
    (answer,) = answers(evidence, reading, month, asked.tenant, "enterprise", [book])
    return answer
