"""The command as it is on a base install: whatever only a server needs cannot be imported."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Stands in front of the command: nothing can be imported but what the base install brings.
_BLOCKED = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

BLOCKED, commands = map(json.loads, sys.argv[1:])
sys.meta_path.insert(0, Blocked())
from ai_agent_mesh.cli import main
for words in commands:
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as ending:
        if ending.code:
            raise
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


def mesh(*commands: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run commands, one after the other in one process, until one fails."""
    given = (json.dumps(sorted(not_of_the_base())), json.dumps(commands))
    program = [sys.executable, "-c", _BLOCKED, *given]
    return subprocess.run(program, capture_output=True, text=True, check=False, cwd=ROOT)
