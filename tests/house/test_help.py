"""Every command's own page says what may be given, in words and not in Python's types."""

import re

import pytest
from typer.testing import CliRunner

from ai_agent_mesh.cli import COMMANDS, app

_TYPE = re.compile(r"<(?:str|int|float|path|list)\b")


def _help(*words: str) -> str:
    shown = CliRunner().invoke(app, [*words, "--help"])
    assert shown.exit_code == 0, shown.output
    return shown.output


@pytest.mark.parametrize("word", COMMANDS)
def test_help_names_each_value_by_what_it_is(word: str) -> None:
    page = _help(word)
    below = page.partition("\nCommands:\n")[2]
    pages = [page, *(_help(word, each) for each in re.findall(r"(?m)^  (\S+)", below))]
    for line in "\n".join(pages).splitlines():
        assert not (line.startswith("  -") and _TYPE.search(line)), line
