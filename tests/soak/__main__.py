"""Kills parts of a whole system under load, over and over, and prints what it counts: `make soak`.

python -m tests.soak [--rounds N] [--seed N] [--lease SECONDS] [--workers N] [--only VICTIM …]
"""

import argparse
import asyncio
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from statistics import median
from tempfile import mkdtemp
from time import monotonic

from tests.soak.rounds import VICTIMS, Killing, arena


def tell(number: int, victim: str, told: Killing) -> None:
    """Print one round's line: the victim, and what stands by now."""
    now = told.counted
    said = f"{now.acknowledged} acknowledged, {now.runs} runs, {now.effects} effects"
    print(f"{number:4}  {victim:24} {said}, {len(now.faults)} faults", flush=True)


def show(told: Killing, took_s: float) -> None:
    """Print what all rounds came to."""
    now = told.counted
    kills = ", ".join(f"{victim} {count}" for victim, count in sorted(told.kills.items()))
    print(f"\nseed {told.seed}, {sum(told.kills.values())} rounds in {took_s:.0f} s")
    print(f"killed:                   {kills}")
    print(f"calls acknowledged:       {now.acknowledged} (and {now.unanswered} cut off unanswered)")
    print(f"ledger entries:           {now.entries}, the probe's and the tasks' among them")
    print(f"ids with two entries:     {now.doubles}")
    print(f"runs accepted, completed: {now.runs}")
    print(
        f"effects outside:          {now.effects} (asked again under the same key: {now.repeats})"
    )
    print(f"a dead worker's runs went on elsewhere: {_spread(told.takeovers_s)}")
    for name, spans in sorted(told.back_s.items()):
        print(f"{name} ready again: {_spread(spans)}")
    for fault in now.faults:
        print(f"FAULT {fault}")


def _spread(spans_s: list[float]) -> str:
    if not spans_s:
        return "never"
    return f"median {median(spans_s):.1f} s, at the most {max(spans_s):.1f} s, of {len(spans_s)}"


async def killed(options: argparse.Namespace, folder: Path, last: list[Killing]) -> None:
    """Do the rounds on a system in this folder; `last` holds what they came to so far."""

    def heard(number: int, victim: str, told: Killing) -> None:
        last[:] = [told]
        tell(number, victim, told)

    async with arena(folder, options.seed, options.lease, options.workers) as rounds:
        last[:] = [await rounds.run(options.rounds, heard, options.only or ())]


def main() -> int:
    """Kill, look and print; return 1 when a fault was found."""
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**32))
    parser.add_argument("--lease", type=float, default=10, help="a worker's lease in seconds")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", action="append", choices=VICTIMS, help="may be repeated")
    options = parser.parse_args()
    folder = Path(mkdtemp(prefix="mesh-soak-"))
    folder.chmod(0o711)  # PostgreSQL's own user must get through
    print(f"seed {options.seed}", flush=True)
    began, last = monotonic(), list[Killing]()
    with suppress(KeyboardInterrupt):  # what was counted until then is told
        asyncio.run(killed(options, folder, last))
    for told in last:
        show(told, monotonic() - began)
    if any(told.counted.faults for told in last):
        print(f"the processes' logs are in {folder}")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
