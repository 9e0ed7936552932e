"""A statement as plain text that a person from finance can read and file."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from ai_agent_mesh.operations.statements.cells import (
    clock,
    cut,
    laid_out,
    left_text,
    met_text,
    share_text,
)
from ai_agent_mesh.operations.statements.incidents import IncidentFigures
from ai_agent_mesh.operations.statements.planning import MaintenanceFigures, NoticeFigures
from ai_agent_mesh.operations.statements.statement import Part, Statement

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
    lines = [f"{one.tenant_name} ({tiers}), {clock(one.since)} to {clock(one.until)}"]
    lines += [*_reached(one), *_credit(one), "  Unavailable:", *_outages(one)]
    return "\n".join(lines) + "\n"


def _head(one: Statement) -> Iterator[str]:
    what = f"for {one.month}" if one.month else "for a span of its own choosing"
    yield f"SERVICE LEVEL STATEMENT {what}" + (" (so far)" if one.so_far else "")
    yield "=" * WIDTH
    yield f"Customer      {one.tenant_name} ({one.tenant})"
    yield f"Tier          {', then '.join(part.title for part in one.parts)}"
    if book := one.agreement:
        yield f"Agreement     {book.product} {book.version} of {book.updated}, {book.company}"
    yield f"Judged        {clock(one.since)} to {clock(one.until)}, half-open"
    if one.so_far:
        yield f"              The period ends {clock(one.asked_until)}; figures may still change."
    yield f"Computed      {clock(one.computed_at)}"
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
            yield f"ON THE TIER {part.title.upper()}, {clock(part.since)} to {clock(part.until)}"
            yield from _reached(part)
            yield from _credit(part)
            yield ""


def _ahead(one: Statement) -> Iterator[str]:
    """Tell where the period is heading, apart from what was measured."""
    if not one.projected:
        return
    yield f"  By the end    of {one.projected.minutes_ahead} minutes to come,"
    cases = (
        ("if nothing more fails", one.projected.if_nothing_more_fails),
        ("if it goes on like this", one.projected.if_it_goes_on),
    )
    for name, outlook in cases:
        money = " and ".join(f"{due.amount} {due.currency}" for due in outlook.credit)
        credit = f", credit {outlook.credit_percent}%" if outlook.credit_percent else ""
        reached = f"{share_text(outlook.availability)} {met_text(outlook.met)}"
        yield f"                {name}: {reached}{credit}{f' ({money})' if money else ''}"


def _reached(one: Statement | Part) -> Iterator[str]:
    minutes = one.minutes
    if one.availability is None:
        yield "  Nothing to judge yet: no whole minute of this period has passed."
    else:
        yield f"  Reached       {one.availability}{_exactly(one)}"
    promised = one.objective or "by each tier its own share"
    yield f"  Promised      {promised}   {met_text(one.met)}"
    yield f"  Minutes       {minutes.total} in all, {minutes.excluded} excluded,"
    yield f"                {minutes.counted} counted, {_lost(one)}"


def _budget(one: Statement) -> Iterator[str]:
    budget, spent = one.error_budget, cut(one.error_budget.spent_minutes)
    yield f"  Error budget  {budget.allowed_minutes} minutes allowed, {spent} spent,"
    yield f"                {left_text(budget.remaining_ratio)}"
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
        (s.service, s.availability or "-", f"{cut(s.error_budget.spent_minutes)} min",
         clock(s.watched_since) if s.watched_since else "not watched")
        for s in one.services
    ]  # fmt: skip
    yield from laid_out(rows)
    yield ""
    yield "UNAVAILABLE MINUTES"
    yield from _outages(one)
    yield ""
    if one.incidents:
        yield "INCIDENTS (as the platform's operators told of them)"
        yield from _incidents(one.incidents)
        yield ""
    if one.maintenance:
        yield "MAINTENANCE"
        yield from _maintenance(one)
        yield ""
    if one.amendments:
        yield "CORRECTIONS (of whose fault a call was, by a person)"
        yield from _amendments(one)
        yield ""
    yield "LATENCY (the platform's own time; the share of calls under the threshold)"
    rows = [("category", "", "threshold", "calls", "within", "reached", "")]
    rows += [
        (x.category, x.percentile, f"{x.threshold_ms:g} ms", str(x.valid), str(x.within),
         share_text(x.attainment), met_text(x.met) if x.valid else "no calls")
        for x in one.latency
    ]  # fmt: skip
    yield from laid_out(rows)
    yield ""
    yield "CALLS (the customer's own and the probe's)"
    rows = [("service", "category", "calls", "valid", "failed by us")]
    rows += [(c.service, c.category, str(c.calls), str(c.valid), str(c.bad)) for c in one.calls]
    yield from laid_out(rows)
    yield ""


def _outages(one: Statement) -> Iterator[str]:
    for span in one.unavailable:
        causes = " and ".join(CAUSES[cause] for cause in span.causes)
        yield f"  {clock(span.since)} to {clock(span.until)}   {span.minutes} min"
        yield f"      {', '.join(span.services)}: {causes}"
        for each in span.incidents or ():
            yield from (f"      {line}" for line in wrap(f"{each.id} {each.title}", WIDTH - 6))
    if not one.unavailable:
        named = one.minutes.unavailable is not None
        yield "  none" if named else "  this method counts requests and names no minutes"


def _incidents(said: Sequence[IncidentFigures]) -> Iterator[str]:
    for one in said:
        ended = clock(one.resolved_at) if one.resolved_at else "now (open)"
        yield f"  {clock(one.began_at)} to {ended}   {one.severity}: {', '.join(one.services)}"
        texts = [f"{one.id} {one.title}", *(one.cause or "").splitlines()]
        yield from (f"      {line}" for text in texts for line in wrap(text, WIDTH - 6))


def _maintenance(one: Statement) -> Iterator[str]:
    for work in one.maintenance:
        yield f"  {clock(work.since)} to {clock(work.until)}   {', '.join(work.services)}"
        yield from (f"      {line}" for line in wrap(work.title, WIDTH - 6))
        yield f"      announced {clock(work.announced_at)}, {_entry(work.entry, work.number)}"
        if work.cancelled_at:
            proof = _entry(work.cancel_entry, work.cancel_number)
            yield f"      cancelled {clock(work.cancelled_at)}, {proof}"
        yield f"      {work.excluded_minutes} minutes excluded{_flags(work)}"
        for notice in work.notices or ():
            yield from _notice(notice)


def _notice(one: NoticeFigures) -> Iterator[str]:
    """Tell what came of one delivery, of what was announced or called off."""
    tries = "1 try" if one.attempts == 1 else f"{one.attempts} tries"
    what = one.type.removeprefix("maintenance.")
    yield f"      {what}: {one.outcome} to {one.host} {clock(one.at)}, {tries}, entry {one.number}"
    if one.reason:
        yield from (f"        {line}" for line in wrap(one.reason, WIDTH - 8))


def _amendments(one: Statement) -> Iterator[str]:
    for made in one.amendments:
        yield f"  {clock(made.at)}   was {made.was}, is {made.fault}: call {made.entry}"
        yield from (f"      {line}" for line in wrap(made.reason, WIDTH - 6))
        by = f"by {made.amended_by} {clock(made.amended_at)}"
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
    if one.planned_work:
        acts, last = one.planned_work.acts, one.planned_work.hash.hex()
        yield f"  Planned work: {acts} announcements and cancellations up to then,"
        yield f"  hash {last}"
    yield f"  Playbook {one.playbook}"
    yield "  `mesh sla verify` recomputes every figure above from these entries."


def _exactly(one: Statement | Part) -> str:
    fraction = one.availability_fraction
    return f"   (exactly {fraction})" if fraction else ""


def _lost(one: Statement | Part) -> str:
    """Say what was lost: whole minutes where the method names them."""
    if one.minutes.unavailable is None:
        return f"{cut(one.error_budget.spent_minutes)} lost"
    return f"{one.minutes.unavailable} unavailable"
