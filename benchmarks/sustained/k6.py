"""Runs k6 with the traffic of `mix.js`, and reads what it measured at its own end of the wire."""

import asyncio
import dataclasses
import json
import os
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ai_agent_mesh.sla import Category
from benchmarks.sustained.cast import NAME, Cast

_SCRIPT = Path(__file__).with_name("mix.js")


@dataclass(frozen=True, slots=True)
class Seen:
    """What k6 saw: milliseconds by category, and what did not go as it should."""

    requests: int
    refused: int
    #: Requests that were due and not sent, because none of those before had been answered.
    dropped: int
    latency_ms: dict[str, dict[str, float]]


async def drive(cast: Cast, port: int, seconds: int, folder: Path) -> Seen:
    """Send the traffic for a time and return what k6 saw.

    Raises:
        RuntimeError: k6 is not installed, or could not run.
    """
    program = Path(sysconfig.get_path("scripts")) / "k6"
    if not program.exists():
        raise RuntimeError("k6 is not installed: make install")
    summary = folder / "summary.json"
    plan = _plan(cast, port, seconds, summary)
    (folder / "plan.json").write_text(json.dumps(plan))
    process = await asyncio.create_subprocess_exec(
        program, "run", "--quiet", "--no-color", "--no-usage-report", "--address", "", _SCRIPT,
        env={**os.environ, "PLAN": str(folder / "plan.json")},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if code:
        raise RuntimeError(f"k6 ended with {code}")
    return _seen(json.loads(summary.read_text()))


def _plan(cast: Cast, port: int, seconds: int, summary: Path) -> dict[str, object]:
    return {
        "base": f"http://127.0.0.1:{port}",
        "seconds": seconds,
        "workflow": NAME,
        "categories": list(Category),
        "summary": str(summary),
        **dataclasses.asdict(cast),
    }


def _seen(metrics: dict[str, dict[str, dict[str, float]]]) -> Seen:
    def count(name: str) -> int:
        return int(metrics.get(name, {}).get("values", {}).get("count", 0))

    return Seen(
        requests=count("http_reqs"),
        refused=count("refused"),
        dropped=count("dropped_iterations"),
        latency_ms={each: _latency(metrics, each) for each in _measured(metrics)},
    )


def _measured(metrics: Iterable[str]) -> list[str]:
    names = set(metrics)
    return [each for each in Category if f"http_req_duration{{category:{each}}}" in names]


def _latency(metrics: dict[str, dict[str, dict[str, float]]], category: str) -> dict[str, float]:
    values = metrics[f"http_req_duration{{category:{category}}}"]["values"]
    return {"p50": values["med"], "p95": values["p(95)"], "p99": values["p(99)"]}
