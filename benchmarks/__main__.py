"""Measures what design and playbook promise, each figure beside its yardstick: `make bench`.

python -m benchmarks [PART …] [--json]
"""

import argparse
import asyncio
import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ai_agent_mesh.plumbing.postgres import migrate
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer
from benchmarks import ledger, objectives, policy, replay, requests, rollup, runs
from benchmarks.figures import Figure

Measured = Callable[[str, str], Awaitable[list[Figure]]]


async def on_fresh_database(measure: Measured) -> list[Figure]:
    """Measure on an embedded server of its own: durable, migrated, empty."""
    with tempfile.TemporaryDirectory(prefix="mesh-bench-") as name:
        os.chmod(name, 0o711)  # noqa: PTH101, S103 - the server's own account must get through
        server = EmbeddedServer(Path(name) / "postgres")
        urls = await server.start()
        try:
            await migrate(urls.migrate, "mesh_login")
            return await measure(urls.login, urls.migrate)
        finally:
            await server.stop()


PARTS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "requests": requests.run,
    "ledger": lambda: on_fresh_database(ledger.run),
    "rollup": rollup.run,
    "policy": policy.run,
    "runs": runs.run,
    "objectives": lambda: on_fresh_database(objectives.run),
    "replay": replay.run,
}


async def measured(parts: list[str]) -> tuple[list[tuple[str, Figure]], list[str]]:
    """Return the rows of every part, and what could not be measured."""
    rows: list[tuple[str, Figure]] = []
    failed = []
    for part in parts:
        began = time.perf_counter()
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        try:
            rows += [(part, figure) for figure in await PARTS[part]()]
        except Exception as error:  # noqa: BLE001 - the other figures are still wanted
            failed.append(f"{part}: {type(error).__name__}: {error}")
        print(f"  took {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return rows, failed


def show(rows: list[tuple[str, Figure]]) -> None:
    """Print one table."""
    table = Table("what", "measured", "target", "beside it", "ratio", show_lines=False)
    last = ""
    for part, figure in rows:
        if last and part != last:
            table.add_section()
        last = part
        table.add_row(*map(str, dataclasses.astuple(figure)))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    console.print(table)


def main() -> int:
    """Measure and print; return 1 when a part could not be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}")
    rows, failed = asyncio.run(measured(options.parts or list(PARTS)))
    if options.json:
        print(json.dumps([{"part": part, **dataclasses.asdict(row)} for part, row in rows]))
    else:
        show(rows)
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
