"""A month on several tiers: each span by its own promise, each credit of its own prorated fee."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.statements import as_text, slos
from ai_agent_mesh.operations.statements.model import Calls, Evidence, Term
from ai_agent_mesh.operations.statements.rules import tenures
from ai_agent_mesh.operations.statements.statement import Statement
from ai_agent_mesh.operations.statements.stating import Subject, state
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import Category, MinuteCount, Service, minute_number, prorated_fee

MONTH = Month(2026, 11)
BEGUN = datetime(2026, 3, 1, tzinfo=UTC)


def at(day: int, minute: int = 0, second: int = 0) -> datetime:
    """Return a moment of a day in November 2026."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(minutes=minute, seconds=second)


def fee(amount: str, currency: str = "USD") -> Money:
    """Return a fee."""
    return Money(Decimal(amount), currency)


def stated(terms: list[Term], *lost: datetime, span: Span = MONTH.span) -> Statement:
    """State November with these unavailable minutes."""
    evidence = []
    for tenure in tenures(terms, span):
        minutes = tuple(
            MinuteCount(minute_number(m), Service.API, 1, 1) for m in lost if tenure.span.holds(m)
        )
        calls = (Calls(Service.API, Category.AGENT_CRUD, 10, 10, len(minutes), 10, 9, 9, 9),)
        evidence.append((tenure, Evidence(tenure.span, minutes, {}, calls)))
    subject = Subject("tnt_1", "Acme", str(MONTH), MONTH.span)
    return state(subject, evidence, [], default(), MONTH.until)


def test_each_tier_is_judged_by_its_own_promise_over_its_own_span() -> None:
    terms = [
        Term(BEGUN, "professional", fee("500")),
        Term(at(16), "enterprise", fee("5000")),
    ]
    # 10 of 21,600 minutes break 99.99%, and 99.9% too only from the 22nd on.
    lost = [at(2, n) for n in range(10)] + [at(20, n) for n in range(10)]
    one = stated(terms, *lost)
    old, new = one.parts
    assert (old.since, old.until, new.until) == (MONTH.since, at(16), MONTH.until)
    assert (old.tier, old.objective, old.met, old.credit_percent) == (
        "professional", "99.9%", True, None,
    )  # fmt: skip
    assert (new.tier, new.objective, new.met, new.credit_percent) == (
        "enterprise", "99.99%", False, "10",
    )  # fmt: skip
    # Half of the month each; 10% of 2,500 dollars.
    assert [(a.amount, a.exact) for a in (*old.fee, *new.fee)] == [
        ("250.00", "250/1"), ("2500.00", "2500/1"),
    ]  # fmt: skip
    assert old.credit == ()
    assert [(a.currency, a.amount) for a in new.credit] == [("USD", "250.00")]


def test_the_head_tells_the_whole() -> None:
    terms = [Term(BEGUN, "professional"), Term(at(16), "enterprise", fee("5000"))]
    one = stated(terms, *(at(20, n) for n in range(10)))
    assert (one.minutes.total, one.minutes.unavailable, one.met) == (43_200, 10, False)
    assert one.availability_fraction == "4319/4320"
    assert one.error_budget.allowed_minutes == "23.76"  # 21.6 and 2.16
    assert (one.tier, one.objective, one.credit_percent) == (None, None, None)
    assert one.method == "period"
    assert one.credit == one.parts[1].credit
    assert [(c.calls, c.bad) for c in one.calls] == [(20, 10)]
    assert one.services[0].minutes.unavailable == 10
    text = as_text(one)
    for told in (
        "Professional, then Enterprise",
        "by each tier its own share",
        "ON THE TIER ENTERPRISE",
        "10% of the fee: 250.00 USD",
        "250.00 USD in all",
    ):
        assert told in text, told


def test_a_minute_belongs_to_the_tier_that_it_began_on() -> None:
    terms = [Term(BEGUN, "free"), Term(at(3, 5, 1), "enterprise"), Term(at(3, 5, 40), "free")]
    assert [t.tier for t in tenures(terms, MONTH.span)] == ["free"]
    terms[2] = Term(at(3, 6, 1), "professional")
    assert [(t.tier, t.span) for t in tenures(terms, MONTH.span)] == [
        ("free", Span(MONTH.since, at(3, 6))),
        ("enterprise", Span(at(3, 6), at(3, 7))),
        ("professional", Span(at(3, 7), MONTH.until)),
    ]


def test_terms_of_other_months_change_nothing() -> None:
    terms = [Term(BEGUN, "free"), Term(MONTH.since - MINUTE, "enterprise"),
             Term(MONTH.until, "free")]  # fmt: skip
    assert [(t.tier, t.span) for t in tenures(terms, MONTH.span)] == [("enterprise", MONTH.span)]
    empty = Span(at(7), at(7))
    assert [(t.tier, t.span) for t in tenures(terms, empty)] == [("enterprise", empty)]


def test_a_fee_that_changes_on_one_tier_leaves_one_part() -> None:
    terms = [Term(BEGUN, "enterprise", fee("3000")), Term(at(11), "enterprise", fee("6000")),
             Term(at(21), "enterprise", fee("9000", "CHF"))]  # fmt: skip
    one = stated(terms, *(at(2, n) for n in range(500)))
    (part,) = one.parts
    assert [(f.since.day, f.amount, f.currency) for f in part.monthly_fees] == [
        (1, "3000", "USD"), (11, "6000", "USD"), (21, "9000", "CHF"),
    ]  # fmt: skip
    assert {a.currency: a.amount for a in part.fee} == {"USD": "3000.00", "CHF": "3000.00"}
    assert {a.currency: a.amount for a in one.credit} == {"USD": "1500.00", "CHF": "1500.00"}


@pytest.mark.parametrize(
    ("monthly", "exact", "amount"),
    # 1 of 43,200 minutes and all of it lost: half of it is due.
    [("4320", "1/20", "0.05"), ("864", "1/100", "0.01"), ("432", "1/200", "0.00"),
     ("1296", "3/200", "0.02"), ("1000", "5/432", "0.01")],
)  # fmt: skip
def test_money_is_exact_until_it_is_rounded_once(monthly: str, exact: str, amount: str) -> None:
    span = Span(at(9), at(9, 1))
    one = stated([Term(BEGUN, "enterprise", fee(monthly))], at(9), span=span)
    assert [(a.exact, a.amount) for a in one.credit] == [(exact, amount)]


def test_a_fee_is_prorated_by_each_months_real_length() -> None:
    span = Span(datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 2, tzinfo=UTC))
    assert prorated_fee(Fraction(899), span) == 31 + 29
    whole = Span(datetime(2028, 1, 1, tzinfo=UTC), datetime(2028, 4, 1, tzinfo=UTC))
    assert prorated_fee(Fraction(7), whole) == 21


def test_objectives_are_those_of_the_present_tier() -> None:
    terms = [Term(BEGUN, "professional"), Term(at(16), "enterprise")]
    items = slos(stated(terms, at(2)), default())
    assert (items[0].objective, items[0].counted, items[0].missed) == ("99.99%", 21_600, "0")


def test_a_running_month_tells_apart_what_was_and_what_may_come() -> None:
    terms = [Term(BEGUN, "professional"), Term(at(6), "enterprise", fee("4320"))]
    # 10 of 14,400 minutes on the present tier; 21,600 are to come.
    one = stated(terms, *(at(8, n) for n in range(10)), span=Span(MONTH.since, at(16)))
    ahead = one.projected
    assert ahead
    assert (ahead.until, ahead.minutes_ahead) == (MONTH.until, 21_600)
    best, same = ahead.if_nothing_more_fails, ahead.if_it_goes_on
    # 10 of 43,200 in all; of the tier's own 36,000 minutes that is 99.9722%: 10% of 3,600.
    assert (best.availability, best.met, best.credit_percent) == ("99.976851851851%", False, "10")
    assert [(a.currency, a.amount) for a in best.credit] == [("USD", "360.00")]
    # 25 of 36,000.
    assert (same.availability, same.credit_percent) == ("99.942129629629%", "10")
    assert "if it goes on like this: 99.942% MISSED, credit 10% (360.00 USD)" in as_text(one)
    assert stated(terms).projected is None
