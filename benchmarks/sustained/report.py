"""The verdict on a load: the playbook's latency table, the counts, and each process's memory."""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from ai_agent_mesh.playbook import Playbook
from benchmarks.figures import percentile
from benchmarks.sustained.evidence import Judged
from benchmarks.sustained.k6 import Seen
from benchmarks.sustained.watch import Watch, slope

_QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was seen of one load."""

    playbook: Playbook
    rate: float
    seconds: int
    seen: Seen
    judged: Mapping[str, Judged]
    watch: Watch

    @property
    def entries(self) -> int:
        """Return how many calls the ledger has of the tenants that took part."""
        return sum(one.calls for one in self.judged.values())

    @property
    def lag_s(self) -> float:
        """Return the longest that an entry was seen to wait for its number."""
        return max(sample.lag_s for sample in self.watch.samples)

    @property
    def figures(self) -> dict[str, object]:
        """Return everything as plain values, for a file."""
        return {
            "rate": self.rate,
            "seconds": self.seconds,
            "holds": self.holds,
            "k6": asdict(self.seen),
            "ledger": {name: asdict(one) for name, one in self.judged.items()},
            "samples": [asdict(sample) for sample in self.watch.samples],
        }

    @property
    def holds(self) -> bool:
        """Tell whether every promise was kept, every request sent, and every call recorded."""
        promised = all(
            self.judged[str(category)].holds(quantile)
            for category in self.playbook.latency
            for quantile, _ in _QUANTILES
        )
        limit = self.playbook.measurement.sequenced_within.total_seconds()
        whole = self.entries == self.seen.requests
        return (
            promised and whole and not self.seen.refused and not self.seen.dropped
            and self.lag_s <= limit and not any(one.bad for one in self.judged.values())
        )  # fmt: skip


def show(report: Report) -> None:
    """Print the tables."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(_latency(report))
    console.print(_counts(report))
    console.print(_memory(report))
    console.print("every promise holds" if report.holds else "NOT every promise holds")


def _latency(report: Report) -> Table:
    table = Table(
        "category", "calls", "promised p50 / p95 / p99", "by the ledger", "within", "by k6",
        title=f"{report.rate:g} requests/s for {report.seconds} s on {os.cpu_count()} cores",
    )  # fmt: skip
    for name, one in sorted(report.judged.items()):
        promised = next((p for c, p in report.playbook.latency.items() if str(c) == name), None)
        limits = "" if promised is None else " / ".join(
            f"{getattr(promised, q).total_seconds() * 1000:g}" for q, _ in _QUANTILES
        ) + " ms"  # fmt: skip
        within = "" if promised is None else " / ".join(
            f"{one.share(q):.2%}" + ("" if one.holds(q) else " MISSED") for q, _ in _QUANTILES
        )  # fmt: skip
        ours = " / ".join(f"{one.latency_ms(share):.1f}" for _, share in _QUANTILES)
        wire = report.seen.latency_ms.get(name, {})
        theirs = " / ".join(f"{wire.get(q, 0):.1f}" for q, _ in _QUANTILES)
        table.add_row(name, f"{one.calls:,}", limits, f"{ours} ms", within, f"{theirs} ms")
    return table


def _counts(report: Report) -> Table:
    seen, lags = report.seen, [sample.lag_s for sample in report.watch.samples]
    table = Table("what", "measured", "wanted")
    table.add_row("requests a second", f"{seen.requests / report.seconds:,.1f}", f"{report.rate:g}")
    table.add_row("requests sent by k6", f"{seen.requests:,}", "")
    table.add_row("call entries in the ledger", f"{report.entries:,}", f"{seen.requests:,}")
    table.add_row("answered with an error", f"{seen.refused:,}", "0")
    table.add_row("due and not sent", f"{seen.dropped:,}", "0")
    table.add_row("our fault", f"{sum(one.bad for one in report.judged.values()):,}", "0")
    limit = report.playbook.measurement.sequenced_within.total_seconds()
    lag = f"median {percentile(lags, 0.5):.2f} s, longest {report.lag_s:.2f} s"
    table.add_row("an entry waits for its number", lag, f"< {limit:g} s")
    return table


def _memory(report: Report) -> Table:
    table = Table("process", "processors", "first", "half-way", "last", "slope of the second half")
    for name in report.watch.samples[0].kilobytes:
        points = report.watch.memory(name)
        half = points[len(points) // 2 :]
        first, middle, last = (f"{kb / 1024:.1f} MB" for _, kb in (points[0], half[0], points[-1]))
        cores = f"{report.watch.cores(name):.2f}"
        table.add_row(name, cores, first, middle, last, f"{slope(half) * 60:+.0f} kB a minute")
    table.add_row("everything else", f"{report.watch.cores_elsewhere():.2f}")
    return table
