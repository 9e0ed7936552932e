"""Answers as plain text for a person at a terminal."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from ai_agent_mesh.operations.replay.answer import Answer
from ai_agent_mesh.operations.statements import (
    clock,
    cut,
    laid_out,
    left_text,
    met_text,
    share_text,
)

WIDTH = 78
INDENT = " " * 11
#: So many unavailable spans are listed; the JSON has all of them.
_MOST_SPANS = 20
_PLAYBOOK_FROM = {
    "given": "as it was given",
    "records": "the month's own, as the records show it",
    "installed": "this installation's; the records do not show the month's own",
}
_MAINTENANCE_FROM = {
    "given": "maintenance as it was given",
    "records": "maintenance as the records' own entries announce it",
}
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
        (one.method, share_text(one.availability, 6), f"{cut(one.error_budget.spent_minutes)} min",
         left_text(one.error_budget.remaining_ratio), _credit(one), met_text(one.met))
        for one in several
    ]  # fmt: skip
    lines = [*_head(first), f"Promised   {first.objective}", ""]
    return "\n".join([*lines, *laid_out(rows), "", *_read(first)])


def _head(one: Answer) -> Iterator[str]:
    whose = one.tenant or "everybody"
    yield f"{one.month}, {whose}, by the tier {one.tier}"
    yield "=" * WIDTH
    yield f"Judged     {clock(one.since)} to {clock(one.until)}, half-open"


def _figures(one: Answer) -> Iterator[str]:
    minutes, budget = one.minutes, one.error_budget
    exactly = f"   (exactly {one.availability_fraction})" if one.availability_fraction else ""
    yield f"Reached    {one.availability or 'nothing to judge'}{exactly}"
    yield f"Promised   {one.objective}   {met_text(one.met)}"
    named = f", {minutes.unavailable} unavailable" if minutes.unavailable is not None else ""
    counted = f"{minutes.excluded} excluded, {minutes.counted} counted{named}"
    yield f"Minutes    {minutes.total} in all, {counted}"
    spent = f"{cut(budget.spent_minutes)} of {budget.allowed_minutes} minutes spent"
    yield f"Budget     {spent}, {left_text(budget.remaining_ratio)}"
    yield f"Credit     {_credit(one)}"
    method = f"{one.method}, denominator {one.denominator}. {one.method_in_words}"
    yield from wrap(method, WIDTH, initial_indent="Method     ", subsequent_indent=INDENT)
    yield ""


def _services(one: Answer) -> Iterator[str]:
    rows = [("service", "availability", "lost", "")]
    rows += [
        (each.service, share_text(each.availability, 6),
         f"{cut(each.error_budget.spent_minutes)} min", met_text(each.met))
        for each in one.services
    ]  # fmt: skip
    yield from laid_out(rows)
    yield ""


def _outages(one: Answer) -> Iterator[str]:
    if one.minutes.unavailable is None:
        return
    yield "Unavailable" if one.unavailable else "Unavailable: never"
    rows = [
        (f"{clock(span.since)}", f"{span.minutes} min", ", ".join(span.services),
         " and ".join(_CAUSES[cause] for cause in span.causes))
        for span in one.unavailable[:_MOST_SPANS]
    ]  # fmt: skip
    yield from laid_out(rows)
    if len(one.unavailable) > _MOST_SPANS:
        yield f"  and {len(one.unavailable) - _MOST_SPANS} more; --json has all of them"
    yield ""


def _maintenance(one: Answer) -> Iterator[str]:
    for work in one.maintenance:
        notes = [f"{work.excluded_minutes} min excluded"]
        notes += ["cancelled"] if work.cancelled_at else []
        notes += ["announced too late"] if work.late else []
        notes += ["outside the usual window"] if work.outside_window else []
        span = f"{clock(work.since)} to {clock(work.until)}"
        yield f"Maintenance {span}: {', '.join(notes)}"
    if one.maintenance:
        yield ""


def _latency(one: Answer) -> Iterator[str]:
    rows = [("latency", "", "under", "calls", "within", "reached", "")]
    rows += [
        (x.category, x.percentile, f"{x.threshold_ms:g} ms", str(x.valid), str(x.within),
         share_text(x.attainment, 3), met_text(x.met))
        for x in one.latency
        if x.valid
    ]  # fmt: skip
    if len(rows) > 1:
        yield from laid_out(rows)
        yield ""


def _read(one: Answer) -> Iterator[str]:
    read = one.records
    yield f"Read       {read.rows} rows, {read.judged} judged"
    if read.first and read.last:
        yield f"           first {clock(read.first)}, last {clock(read.last)}"
    for reason, rows in one.ignored.items():
        yield f"           {rows} ignored: {reason}"
    if read.columns_not_read:
        yield f"           columns not read: {', '.join(read.columns_not_read)}"
    if read.tenants_pooled:
        yield "           several tenants judged as one; --tenant judges one alone"
    if read.note:
        yield from wrap(read.note, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
    yield f"Playbook   {one.playbook}"
    yield f"           {_PLAYBOOK_FROM[read.playbook_from]}"
    if read.maintenance_from:
        yield f"           {_MAINTENANCE_FROM[read.maintenance_from]}"


def _credit(one: Answer) -> str:
    return (
        "none on this tier" if one.credit_percent is None else f"{one.credit_percent}% of the fee"
    )
