"""Drives the real system at the playbook's shape of traffic and judges it: `make load`.

python -m benchmarks.sustained [--rate 300] [--seconds 600] [--json FILE]

The measured minutes begin with a whole one, so that the ledger's roll-ups tell of them alone.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ai_agent_mesh.playbook as playbooks
from ai_agent_mesh.kernel.spans import minute_of
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database, Role
from benchmarks.sustained import evidence
from benchmarks.sustained.cast import Cast, assemble, service
from benchmarks.sustained.k6 import drive
from benchmarks.sustained.report import Report, show
from benchmarks.sustained.watch import Watch
from benchmarks.system import System, system

RATE, SECONDS = 300, 600


def main() -> int:
    """Measure and print; return 1 when a promise or a count does not hold."""
    parser = argparse.ArgumentParser(prog="benchmarks.sustained", description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second, all tenants'")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long")
    parser.add_argument("--json", type=Path, help="write every figure and sample to this file")
    options = parser.parse_args()
    report = asyncio.run(measured(playbooks.default(), options.rate, options.seconds))
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report.figures))
    return 0 if report.holds else 1


async def measured(playbook: Playbook, rate: float, seconds: int) -> Report:
    """Start a whole system on fresh data, load it, and return what was seen of it."""
    with tempfile.TemporaryDirectory(prefix="mesh-load-") as name:
        async with service() as address, system() as up:
            _say(f"preparing tenants for {rate:g} requests a second")
            cast = await assemble(up, playbook, rate, address)
            since = await _whole_minute()
            _say(f"loading for {seconds} s")
            watch = Watch()
            pids = {**up.pids, "k6 and the agents": os.getpid()}
            watching = asyncio.create_task(watch.keep(pids, up.port))
            try:
                seen = await drive(cast, up.port, seconds, Path(name))
                judged = await _evidence(up, cast, since)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            return Report(playbook, rate, seconds, seen, judged, watch)


async def _whole_minute() -> datetime:
    now = datetime.now(UTC)
    since = minute_of(now) + timedelta(minutes=1)
    _say(f"the measured time begins at {since:%H:%M:%S} UTC")
    await asyncio.sleep((since - now).total_seconds())
    return since


async def _evidence(up: System, cast: Cast, since: datetime) -> dict[str, evidence.Judged]:
    """Wait until every entry has its number, then read the figures."""
    operations = await Database.open(up.login_url, Role.OPERATIONS)
    try:
        while True:
            async with operations.transaction() as tx:
                if await evidence.numbered(tx, cast.tenants):
                    return await evidence.judged(tx, cast.tenants, since)
            await asyncio.sleep(0.2)
    finally:
        await operations.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
