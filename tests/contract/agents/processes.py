"""Servers of the tests as processes of their own: started, asked for their address, stopped."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]


@contextmanager
def running(module: str, *options: str) -> Iterator[str]:
    """Start a module that prints its address as a JSON line, and yield the address."""
    command = [sys.executable, "-W", "error::SyntaxWarning", "-m", module, *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"{module} did not start"
            yield str(json.loads(line)["url"])
        finally:
            process.kill()
