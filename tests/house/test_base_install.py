"""What the base install promises: figures from files, proofs and the playbook, without a server."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "records" / "calls.csv"

# Stands in front of the command: nothing can be imported but what the base install brings.
_BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

BLOCKED = set(sys.argv.pop(1).split(","))
sys.meta_path.insert(0, Blocked())
from ai_agent_mesh.cli import main
main()
"""


def not_of_the_base() -> set[str]:
    """Return every importable name that only other distributions than the base's bring."""
    pins = re.findall(
        r"^([a-z0-9-]+)==", (ROOT / "requirements" / "base.txt").read_text(), re.MULTILINE
    )
    ours = {*pins, "ai-agent-mesh"}
    return {
        module
        for module, makers in packages_distributions().items()
        if not any(re.sub(r"[-_.]+", "-", maker).lower() in ours for maker in makers)
    }


def mesh(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as it is on a base install."""
    command = [sys.executable, "-c", _BLOCKED, ",".join(not_of_the_base()), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


COMPUTE = (
    "sla",
    "compute",
    "--records",
    str(EXAMPLE),
    "--month",
    "2026-09",
    "--tier",
    "enterprise",
)


@pytest.mark.parametrize("words", [(*COMPUTE, "--json"), ("playbook", "check"), ("sla", "--help")])
def test_what_reads_files_needs_no_server(words: tuple[str, ...]) -> None:
    done = mesh(*words)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_of_the_server_says_in_one_line_how_to_get_it() -> None:
    done = mesh("tenant", "list")
    assert done.returncode == 1
    assert re.fullmatch(r"mesh: .*: pip install 'ai-agent-mesh\[server\]'\n", done.stderr)


def test_the_base_is_what_the_pins_say_and_no_server() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = (ROOT / "requirements" / "base.txt").read_text()
    assert all(f"\n{name}==" in f"\n{pinned}" for name in project["dependencies"])
    assert {"litestar", "asyncpg", "dbos"} & not_of_the_base() == {"litestar", "asyncpg", "dbos"}
