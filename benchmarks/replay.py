"""How fast ten million raw records are judged from Parquet, beside a plain DuckDB scan of the file."""  # noqa: E501

import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import duckdb

from benchmarks.figures import Figure

RECORDS = 10_000_000
TARGET_S, TARGET_MIB = 20, 1024

# A month of calls of eight tenants and the probe, in the order of time; one in a thousand failed.
_FILL = f"""
COPY (
  SELECT to_timestamp((1788220800000 + i * 259.2) / 1000) AS "at",
    CASE WHEN i % 10 = 0 THEN 'probe' ELSE 'tenant-' || i % 8 END AS tenant,
    ['api', 'orchestration', 'governance', 'telemetry'][1 + i % 4] AS service,
    ['agent_crud', 'workflow_execution', 'policy_evaluation', 'telemetry_query'][1 + i % 4]
      AS category,
    CASE WHEN hash(i) % 1000 = 0 THEN 503 WHEN hash(i) % 50 = 1 THEN 404 ELSE 200 END AS status,
    hash(i * 7) % 400 / 3.0 AS latency_ms
  FROM range({RECORDS}) AS made (i)
) TO '{{file}}' (FORMAT parquet)
"""
_SCAN = """
SELECT count(*), sum(latency_ms), min("at"), max(status), max(tenant), max(service), max(category)
FROM read_parquet($file)
"""


async def run() -> list[Figure]:
    """Measure on a file of its own."""
    with tempfile.TemporaryDirectory(prefix="mesh-bench-") as name:
        file = str(Path(name) / "records.parquet")
        duckdb.sql(_FILL.format(file=file))
        began = perf_counter()
        duckdb.execute(_SCAN, {"file": file}).fetchall()
        scan_s = perf_counter() - began
        took_s, mib = _command(file)
    return [
        Figure(
            f"`mesh sla compute` of {RECORDS:,} records from Parquet",
            f"{took_s:.1f} s",
            f"< {TARGET_S} s",
            f"plain DuckDB scan of every column: {scan_s:.1f} s",
            f"{took_s / scan_s:.1f}",
        ),
        Figure("its largest memory", f"{mib:.0f} MiB", f"< {TARGET_MIB} MiB"),
    ]


def _command(file: str) -> tuple[float, float]:
    """Return the seconds and the largest resident MiB of the command, as a process of its own."""
    words = [
        "--records",
        file,
        "--month",
        "2026-09",
        "--tier",
        "enterprise",
        "--tenant",
        "tenant-1",
    ]
    command = [sys.executable, "-m", "ai_agent_mesh", "sla", "compute", *words, "--json"]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = perf_counter()
    child = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"the command ended with {os.waitstatus_to_exitcode(status)}")
    return perf_counter() - began, used.ru_maxrss / 1024
