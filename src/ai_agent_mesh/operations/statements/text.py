"""A statement as plain text that a person from finance can read and file."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from ai_agent_mesh.operations.statements.slos import Slo
from ai_agent_mesh.operations.statements.statement import MaintenanceFigures, Part, Statement

WIDTH = 78
CAUSES = {
    "errors": "too many calls failed by our fault",
    "silence": "the probe left no entry",
}


def as_text(statement: Statement) -> str:
    """Return the statement on lines of at most 78 characters where figures allow it."""
    return (
        "\n".join(
            [*_head(statement), *_figures(statement), *_tables(statement), *_proof(statement)]
        )
        + "\n"
    )


def as_brief(statement: Statement) -> str:
    """Return what was reached, which minutes were unavailable, and the credit, on a few lines."""
    one = statement
    tiers = ", then ".join(part.tier for part in one.parts)
    lines = [f"{one.tenant_name} ({tiers}), {_time(one.since)} to {_time(one.until)}"]
    lines += [*_reached(one), *_credit(one), "  Unavailable:", *_outages(one)]
    return "\n".join(lines) + "\n"


def slos_as_text(items: Sequence[Slo]) -> str:
    """Return a table of objectives, with how fast each budget burns over the longest window."""
    rows = [("objective", "target", "reached", "budget left", "burn", "by the end", "")]
    for one in items:
        name = one.service or f"{one.category} {one.percentile} < {one.threshold_ms:g} ms"
        left = one.budget_remaining_ratio
        rows.append((
            f"{one.kind}: {name}",
            one.objective,
            _short(one.attainment),
            _left(left),
            _burn(one),
            _left(one.ahead.projected_remaining_ratio) if one.ahead else "",
            _verdict(one.met),
        ))  # fmt: skip
    return "\n".join(_table(rows)) + "\n"


def _burn(one: Slo) -> str:
    """Return the rate over the longest window; above 1 the budget does not last."""
    longest = one.burn[-1] if one.burn else None
    if longest is None or longest.rate is None:
        return ""
    whole, _, decimals = longest.rate.partition(".")
    return f"{whole}.{decimals:.2}" if decimals else whole


def _head(one: Statement) -> Iterator[str]:
    what = f"for {one.month}" if one.month else "for a span of its own choosing"
    yield f"SERVICE LEVEL STATEMENT {what}" + (" (so far)" if one.so_far else "")
    yield "=" * WIDTH
    yield f"Customer      {one.tenant_name} ({one.tenant})"
    yield f"Tier          {', then '.join(part.title for part in one.parts)}"
    yield f"Judged        {_time(one.since)} to {_time(one.until)}, half-open"
    if one.so_far:
        yield f"              The period ends {_time(one.asked_until)}; figures may still change."
    yield f"Computed      {_time(one.computed_at)}"
    yield ""


def _figures(one: Statement) -> Iterator[str]:
    yield "AVAILABILITY"
    yield from _reached(one)
    yield from _budget(one)
    yield from _credit(one)
    yield from _ahead(one)
    yield ""
    if len(one.parts) > 1:
        for part in one.parts:
            yield f"ON THE TIER {part.title.upper()}, {_time(part.since)} to {_time(part.until)}"
            yield from _reached(part)
            yield from _credit(part)
            yield ""


def _ahead(one: Statement) -> Iterator[str]:
    """Tell where the period is heading, apart from what was measured."""
    if one.projected is None:
        return
    yield f"  By the end    of {one.projected.minutes_ahead} minutes to come,"
    cases = (
        ("if nothing more fails", one.projected.if_nothing_more_fails),
        ("if it goes on like this", one.projected.if_it_goes_on),
    )
    for name, outlook in cases:
        money = " and ".join(f"{due.amount} {due.currency}" for due in outlook.credit)
        credit = f", credit {outlook.credit_percent}%" if outlook.credit_percent else ""
        reached = f"{_short(outlook.availability)} {_verdict(outlook.met)}"
        yield f"                {name}: {reached}{credit}{f' ({money})' if money else ''}"


def _reached(one: Statement | Part) -> Iterator[str]:
    minutes = one.minutes
    if one.availability is None:
        yield "  Nothing to judge yet: no whole minute of this period has passed."
    else:
        yield f"  Reached       {one.availability}{_exactly(one)}"
    promised = one.objective or "by each tier its own share"
    yield f"  Promised      {promised}   {_verdict(one.met)}"
    yield f"  Minutes       {minutes.total} in all, {minutes.excluded} excluded,"
    yield f"                {minutes.counted} counted, {_lost(one)}"


def _budget(one: Statement) -> Iterator[str]:
    budget, spent = one.error_budget, _cut(one.error_budget.spent_minutes)
    yield f"  Error budget  {budget.allowed_minutes} minutes allowed, {spent} spent,"
    yield f"                {_left(budget.remaining_ratio)}"
    if one.so_far:
        yield f"                {budget.allowed_by_the_end} minutes allowed by the period's end"


def _credit(one: Statement | Part) -> Iterator[str]:
    sofar = ", if the period ended now" if isinstance(one, Statement) and one.so_far else ""
    money = " and ".join(f"{due.amount} {due.currency}" for due in one.credit)
    if one.credit_percent is not None:
        fee = "the fee" if isinstance(one, Part) else "the monthly fee"
        due = f": {money}" if money else ", which no contract names"
        yield f"  Credit        {one.credit_percent}% of {fee}{due}{sofar}"
    elif money:
        yield f"  Credit        {money} in all{sofar}"
    else:
        yield f"  Credit        {'none is due on this tier' if one.availability else '-'}"


def _tables(one: Statement) -> Iterator[str]:
    yield "BY SERVICE"
    rows: list[tuple[str, ...]] = [("service", "availability", "lost", "watched since")]
    rows += [
        (s.service, s.availability or "-", f"{_cut(s.error_budget.spent_minutes)} min",
         _time(s.watched_since) if s.watched_since else "not watched")
        for s in one.services
    ]  # fmt: skip
    yield from _table(rows)
    yield ""
    yield "UNAVAILABLE MINUTES"
    yield from _outages(one)
    yield ""
    if one.maintenance:
        yield "MAINTENANCE"
        yield from _maintenance(one)
        yield ""
    if one.amendments:
        yield "CORRECTIONS (of whose fault a call was, by a person)"
        yield from _amendments(one)
        yield ""
    yield "LATENCY (own time of the platform; a share of calls strictly under the threshold)"
    rows = [("category", "", "threshold", "calls", "within", "reached", "")]
    rows += [
        (x.category, x.percentile, f"{x.threshold_ms:g} ms", str(x.valid), str(x.within),
         _short(x.attainment), _verdict(x.met) if x.valid else "no calls")
        for x in one.latency
    ]  # fmt: skip
    yield from _table(rows)
    yield ""
    yield "CALLS (the customer's own and the probe's)"
    rows = [("service", "category", "calls", "valid", "failed by us")]
    rows += [(c.service, c.category, str(c.calls), str(c.valid), str(c.bad)) for c in one.calls]
    yield from _table(rows)
    yield ""


def _outages(one: Statement) -> Iterator[str]:
    for span in one.unavailable:
        causes = " and ".join(CAUSES[cause] for cause in span.causes)
        yield f"  {_time(span.since)} to {_time(span.until)}   {span.minutes} min"
        yield f"      {', '.join(span.services)}: {causes}"
    if not one.unavailable:
        named = one.minutes.unavailable is not None
        yield "  none" if named else "  this method counts requests and names no minutes"


def _maintenance(one: Statement) -> Iterator[str]:
    for work in one.maintenance:
        yield f"  {_time(work.since)} to {_time(work.until)}   {', '.join(work.services)}"
        yield from (f"      {line}" for line in wrap(work.title, WIDTH - 6))
        yield f"      announced {_time(work.announced_at)}, {_entry(work.entry, work.number)}"
        if work.cancelled_at:
            proof = _entry(work.cancel_entry, work.cancel_number)
            yield f"      cancelled {_time(work.cancelled_at)}, {proof}"
        yield f"      {work.excluded_minutes} minutes excluded{_flags(work)}"


def _amendments(one: Statement) -> Iterator[str]:
    for made in one.amendments:
        yield f"  {_time(made.at)}   was {made.was}, is {made.fault}: call {made.entry}"
        yield from (f"      {line}" for line in wrap(made.reason, WIDTH - 6))
        by = f"by {made.amended_by} {_time(made.amended_at)}"
        yield f"      {by}, {made.tenant}'s entry {made.number}"


def _entry(entry: str | None, number: int | None) -> str:
    return f"platform's entry {number or entry}"


def _flags(work: MaintenanceFigures) -> str:
    flags = [
        "; cancelled" * bool(work.cancelled_at),
        "; announced too late" * work.late,
        "; outside the usual window" * work.outside_window,
    ]
    return "".join(flags)


def _proof(one: Statement) -> Iterator[str]:
    yield "METHOD"
    for words in dict.fromkeys(f"{part.method}: {part.method_in_words}" for part in one.parts):
        yield from (f"  {line}" for line in wrap(words, WIDTH - 2))
    yield ""
    yield "EVIDENCE"
    for part in one.ledger:
        if part.entries:
            numbers = f"numbers {part.first_number} to {part.last_number}"
            yield f"  Ledger of {part.tenant}: {part.entries} entries, {numbers}"
        else:
            yield f"  Ledger of {part.tenant}: no entries in this period"
    yield f"  Playbook {one.playbook}"
    yield "  `mesh sla verify` recomputes every figure above from these entries."


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _verdict(met: bool | None) -> str:
    return "-" if met is None else "met" if met else "MISSED"


def _exactly(one: Statement | Part) -> str:
    fraction = one.availability_fraction
    return f"   (exactly {fraction})" if fraction else ""


def _lost(one: Statement | Part) -> str:
    """Say what was lost: whole minutes where the method names them."""
    if one.minutes.unavailable is None:
        return f"{_cut(one.error_budget.spent_minutes)} lost"
    return f"{one.minutes.unavailable} unavailable"


def _short(share: str | None) -> str:
    """Cut a percentage to three decimals."""
    return "-" if share is None else f"{_cut(share.removesuffix('%'))}%"


def _cut(figure: str) -> str:
    """Cut a figure to three decimals; the exact one stands in the JSON."""
    whole, dot, decimals = figure.partition(".")
    return f"{whole}{dot}{decimals[:3]}"


def _left(ratio: str) -> str:
    """Say what share is left; how far it is overspent stands in the minutes."""
    return "overspent" if ratio.startswith("-") else f"{float(ratio):.1%} left"
