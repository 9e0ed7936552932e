"""What a changed playbook would have made of a past month: which minutes, which credits, how much."""  # noqa: E501

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction

import msgspec

from ai_agent_mesh.kernel.spans import MINUTE, Span
from ai_agent_mesh.operations.statements import Amount, Statement, amounts, cut
from ai_agent_mesh.playbook import Difference, Playbook, differences
from ai_agent_mesh.sla import spans_of, started_in


class Worth(msgspec.Struct, frozen=True):
    """What a month comes to under one playbook."""

    availability: str | None
    availability_fraction: str | None
    objective: str | None
    met: bool | None
    minutes_counted: int
    #: Decimal text, cut off after 12 digits.
    minutes_lost: str
    credit_percent: str | None
    credit: tuple[Amount, ...]


class Turned(msgspec.Struct, frozen=True):
    """An unbroken span of minutes that are judged otherwise."""

    since: datetime
    until: datetime
    minutes: int
    #: What they become: `available` or `unavailable`.
    becomes: str


class Priced(msgspec.Struct, frozen=True):
    """One month of one tenant, before and after the change."""

    month: str
    tenant: str | None
    tier: str | None
    before: Worth
    after: Worth
    #: Empty for a method that names no minutes.
    minutes_turned: tuple[Turned, ...]


class Changed(msgspec.Struct, frozen=True):
    """A changed playbook, priced against past months."""

    keys: tuple[Difference, ...]
    months: tuple[Priced, ...]
    #: The sums over everything that was priced, one amount a currency.
    credit_before: tuple[Amount, ...]
    credit_after: tuple[Amount, ...]
    #: After less before: what the change would have cost.
    difference: tuple[Amount, ...]


def priced(month: str, tenant: str | None, before: Statement, after: Statement) -> Priced:
    """Return what a change makes of one month, stated before and after it."""
    was, becomes = _unavailable(before), _unavailable(after)
    turned = [
        Turned(span.since, span.until, span.length // MINUTE, word)
        for minutes, word in ((becomes - was, "unavailable"), (was - becomes, "available"))
        for span in spans_of(sorted(minutes))
    ]
    return Priced(
        month, tenant, before.tier, _worth(before), _worth(after),
        tuple(sorted(turned, key=lambda one: one.since)),
    )  # fmt: skip


def changed(before: Playbook, after: Playbook, months: Sequence[Priced]) -> Changed:
    """Return all that was priced, with its sums."""
    was = _sum(one.before.credit for one in months)
    becomes = _sum(one.after.credit for one in months)
    more = {
        currency: becomes.get(currency, Fraction(0)) - was.get(currency, Fraction(0))
        for currency in {*was, *becomes}
    }
    keys = tuple(differences(before, after))
    return Changed(keys, tuple(months), amounts(was), amounts(becomes), amounts(more))


def whatif_lines(one: Changed) -> str:
    """Return it as plain text for a person at a terminal."""
    return "\n".join(_lines(one))


def _lines(one: Changed) -> Iterator[str]:
    yield "Changed" if one.keys else "Changed    nothing"
    for key in one.keys:
        sides = ["none" if side is None else str(side) for side in (key.before, key.after)]
        yield f"  {key.key}: {' → '.join(sides)}"
    for each in one.months:
        yield ""
        yield f"{each.month}, {each.tenant or 'everybody'}, {each.tier or 'several tiers'}"
        yield from _sides(each.before, each.after)
        for span in each.minutes_turned:
            since = span.since.strftime("%Y-%m-%d %H:%M UTC")
            yield f"  {since}  {span.minutes} min become {span.becomes}"
    yield ""
    if not one.months:
        yield "Nobody had begun in these months: nothing to price."
        return
    yield f"In all     credit {_money(one.credit_before)} → {_money(one.credit_after)}"
    if one.difference:
        yield f"           which is {_money(one.difference, sign=True)}"


def _sides(before: Worth, after: Worth) -> Iterator[str]:
    rows = [
        ("promised", before.objective, after.objective),
        ("reached", before.availability, after.availability),
        ("kept", _verdict(before.met), _verdict(after.met)),
        ("minutes lost", _of(before), _of(after)),
        ("credit", _credit(before), _credit(after)),
    ]
    for name, was, becomes in rows:
        arrow = f" → {becomes}" if was != becomes else ""
        yield f"  {name:13}{was or '-'}{arrow}"


def _worth(one: Statement) -> Worth:
    return Worth(
        one.availability, one.availability_fraction, one.objective, one.met, one.minutes.counted,
        one.error_budget.spent_minutes, one.credit_percent, one.credit,
    )  # fmt: skip


def _unavailable(one: Statement) -> set[int]:
    return {n for each in one.unavailable for n in started_in(Span(each.since, each.until))}


def _sum(credits_: Iterable[Sequence[Amount]]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = {}
    for each in credits_:
        for one in each:
            total[one.currency] = total.get(one.currency, Fraction(0)) + Fraction(one.exact)
    return total


def _of(one: Worth) -> str:
    return f"{cut(one.minutes_lost)} of {one.minutes_counted}"


def _credit(one: Worth) -> str:
    share = "none on this tier" if one.credit_percent is None else f"{one.credit_percent}%"
    return share + (f", {_money(one.credit)}" if one.credit else "")


def _money(parts: Sequence[Amount], *, sign: bool = False) -> str:
    plus = "+" if sign else ""
    told = [f"{plus if not p.amount.startswith('-') else ''}{p.amount} {p.currency}" for p in parts]
    return " and ".join(told) or "no amount (no fee is known)"


def _verdict(met: bool | None) -> str:
    return "-" if met is None else "yes" if met else "no"
