"""Answers as plain text for a person at a terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from ai_agent_mesh.operations.replay.answer import Answer

WIDTH = 78
#: So many unavailable spans are listed; the JSON has all of them.
_MOST_SPANS = 20
_CAUSES = {"errors": "too many calls failed", "silence": "the probe left no record"}


def as_lines(one: Answer) -> str:
    """Return an answer on lines of at most 78 characters where figures allow it."""
    parts = (_head(one), _figures(one), _services(one), _outages(one), _maintenance(one),
             _latency(one), _read(one))  # fmt: skip
    return "\n".join(line for part in parts for line in part)


def side_by_side(several: Sequence[Answer]) -> str:
    """Return what each method makes of the same evidence, a row a method."""
    first = several[0]
    rows = [("method", "availability", "lost", "budget left", "credit", "")]
    rows += [
        (one.method, _short(one.availability, 6), f"{_cut(one.error_budget.spent_minutes)} min",
         _left(one.error_budget.remaining_ratio), _credit(one), _verdict(one.met))
        for one in several
    ]  # fmt: skip
    lines = [*_head(first), f"Promised   {first.objective}", ""]
    return "\n".join([*lines, *_table(rows), "", *_read(first)])


def _head(one: Answer) -> Iterator[str]:
    whose = one.tenant or "everybody"
    yield f"{one.month}, {whose}, by the tier {one.tier}"
    yield "=" * WIDTH
    yield f"Judged     {_time(one.since)} to {_time(one.until)}, half-open"


def _figures(one: Answer) -> Iterator[str]:
    minutes, budget = one.minutes, one.error_budget
    exactly = f"   (exactly {one.availability_fraction})" if one.availability_fraction else ""
    yield f"Reached    {one.availability or 'nothing to judge'}{exactly}"
    yield f"Promised   {one.objective}   {_verdict(one.met)}"
    named = f", {minutes.unavailable} unavailable" if minutes.unavailable is not None else ""
    counted = f"{minutes.excluded} excluded, {minutes.counted} counted{named}"
    yield f"Minutes    {minutes.total} in all, {counted}"
    spent = f"{_cut(budget.spent_minutes)} of {budget.allowed_minutes} minutes spent"
    yield f"Budget     {spent}, {_left(budget.remaining_ratio)}"
    yield f"Credit     {_credit(one)}"
    method = f"{one.method}, denominator {one.denominator}. {one.method_in_words}"
    yield from wrap(method, WIDTH, initial_indent="Method     ", subsequent_indent=" " * 11)
    yield ""


def _services(one: Answer) -> Iterator[str]:
    rows = [("service", "availability", "lost", "")]
    rows += [
        (each.service, _short(each.availability, 6),
         f"{_cut(each.error_budget.spent_minutes)} min", _verdict(each.met))
        for each in one.services
    ]  # fmt: skip
    yield from _table(rows)
    yield ""


def _outages(one: Answer) -> Iterator[str]:
    if one.minutes.unavailable is None:
        return
    yield "Unavailable" if one.unavailable else "Unavailable: never"
    rows = [
        (f"{_time(span.since)}", f"{span.minutes} min", ", ".join(span.services),
         " and ".join(_CAUSES[cause] for cause in span.causes))
        for span in one.unavailable[:_MOST_SPANS]
    ]  # fmt: skip
    yield from _table(rows)
    if len(one.unavailable) > _MOST_SPANS:
        yield f"  and {len(one.unavailable) - _MOST_SPANS} more; --json has all of them"
    yield ""


def _maintenance(one: Answer) -> Iterator[str]:
    for work in one.maintenance:
        notes = [f"{work.excluded_minutes} min excluded"]
        notes += ["cancelled"] if work.cancelled_at else []
        notes += ["announced too late"] if work.late else []
        notes += ["outside the usual window"] if work.outside_window else []
        span = f"{_time(work.since)} to {_time(work.until)}"
        yield f"Maintenance {span}: {', '.join(notes)}"
    if one.maintenance:
        yield ""


def _latency(one: Answer) -> Iterator[str]:
    rows = [("latency", "", "under", "calls", "within", "reached", "")]
    rows += [
        (x.category, x.percentile, f"{x.threshold_ms:g} ms", str(x.valid), str(x.within),
         _short(x.attainment, 3), _verdict(x.met))
        for x in one.latency
        if x.valid
    ]  # fmt: skip
    if len(rows) > 1:
        yield from _table(rows)
        yield ""


def _read(one: Answer) -> Iterator[str]:
    read = one.records
    yield f"Read       {read.rows} rows, {read.judged} judged"
    for reason, rows in one.ignored.items():
        yield f"           {rows} ignored: {reason}"
    if read.columns_not_read:
        yield f"           columns not read: {', '.join(read.columns_not_read)}"
    if read.tenants_pooled:
        yield "           several tenants judged as one; --tenant judges one alone"
    yield f"Playbook   {one.playbook}"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _verdict(met: bool | None) -> str:
    return "-" if met is None else "met" if met else "MISSED"


def _credit(one: Answer) -> str:
    return (
        "none on this tier" if one.credit_percent is None else f"{one.credit_percent}% of the fee"
    )


def _left(ratio: str) -> str:
    return "overspent" if ratio.startswith("-") else f"{_cut(str(float(ratio) * 100))}% left"


def _short(share: str | None, digits: int) -> str:
    return "-" if share is None else f"{_cut(share.removesuffix('%'), digits)}%"


def _cut(figure: str, digits: int = 3) -> str:
    whole, dot, decimals = figure.partition(".")
    return f"{whole}{dot}{decimals[:digits]}"
