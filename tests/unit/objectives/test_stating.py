"""What was judged is stated exactly: figures, credit, latency, text."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import msgspec
import pytest
from tests.unit.objectives.evidence import (
    API,
    NOTICE,
    PLAYBOOK,
    TERMS,
    at,
    evidence,
    marred,
    span,
    statement,
)

from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.statements import (
    Evidence,
    Watch,
    as_brief,
    as_text,
    first_difference,
    joined,
    judge,
    judged_span,
    outages,
    settled_until,
    slos,
    slos_as_text,
)
from ai_agent_mesh.operations.statements.figuring import decimal_text
from ai_agent_mesh.operations.statements.model import Calls
from ai_agent_mesh.operations.statements.slos import Burning
from ai_agent_mesh.sla import (
    Category,
    Service,
)


def test_nothing_to_judge_is_neither_kept_nor_broken() -> None:
    stated = statement(evidence(length=0))
    assert (stated.availability, stated.met, stated.credit_percent) == (None, None, None)
    assert "Nothing to judge yet" in as_text(stated)


def test_a_tenant_is_judged_from_its_first_whole_minute() -> None:
    month = Month(2026, 11).span
    judged = judged_span(month, began=at(0, 1), settled=at(5, day=7))
    assert judged == Span(at(1), at(5, day=7))
    assert judged_span(month, began=at(0), settled=at(5)).since == at(0)
    assert judged_span(month, began=at(9), settled=at(5)).length == timedelta(0)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert judged_span(month, began=at(0), settled=later).until == month.until


def test_a_minute_waits_for_the_probes_interval_before_it_is_judged() -> None:
    assert settled_until(at(5, 14), PLAYBOOK) == at(4)
    assert settled_until(at(5, 15), PLAYBOOK) == at(5)


def test_a_month_without_trouble_states_round_figures() -> None:
    stated = statement(Evidence(Month(2026, 11).span, (), {}, ()), month="2026-11")
    assert (stated.availability, stated.availability_fraction) == ("100%", "1/1")
    assert (stated.objective, stated.met, stated.credit_percent) == ("99.99%", True, "0")
    budget = stated.error_budget
    assert (budget.allowed_minutes, budget.spent_minutes, budget.remaining_ratio) == (
        "4.32",
        "0",
        "1",
    )
    assert not stated.so_far


@pytest.mark.parametrize(
    ("lost", "availability", "credit"),
    [
        (4, "99.99074074074%", "0"),
        (5, "99.988425925925%", "10"),
        (43, "99.900462962962%", "10"),
        (44, "99.898148148148%", "25"),
        (432, "99%", "25"),
        (433, "98.997685185185%", "50"),
    ],
)
def test_the_credit_ladder_is_read_without_rounding(
    lost: int, availability: str, credit: str
) -> None:
    month = Month(2026, 11).span
    minutes = tuple(marred(month.since + n * MINUTE, API, 1, 1) for n in range(lost))
    stated = statement(Evidence(month, minutes, {}, ()), month="2026-11")
    assert (stated.availability, stated.credit_percent) == (availability, credit)


def test_a_tier_without_a_ladder_pays_no_credit() -> None:
    stated = statement(evidence(marred(at(3), API, 1, 1)), tier="free")
    assert stated.credit_percent is None
    assert "none is due on this tier" in as_text(stated)


def test_latency_is_the_share_strictly_under_each_threshold() -> None:
    calls = (
        Calls(API, Category.AGENT_CRUD, 60, 60, 0, 60, 40, 57, 60),
        Calls(Service.TELEMETRY, Category.AGENT_CRUD, 40, 40, 0, 40, 9, 38, 38),
        Calls(API, Category.OTHER, 7, 7, 7, 0, 0, 0, 0),
    )
    stated = statement(Evidence(span(0, 100), (), {}, calls))
    crud = [x for x in stated.latency if x.category == "agent_crud"]
    assert [
        (x.percentile, x.threshold_ms, x.valid, x.within, x.attainment, x.met) for x in crud
    ] == [
        ("p50", 100, 100, 49, "49%", False),
        ("p95", 250, 100, 95, "95%", True),
        ("p99", 500, 100, 98, "98%", False),
    ]
    idle = [x for x in stated.latency if x.category == "authentication"]
    assert {(x.valid, x.attainment, x.met) for x in idle} == {(0, None, True)}
    assert not any(x.category == "other" for x in stated.latency)


def test_every_objective_stands_alone_with_what_is_left() -> None:
    calls = (Calls(API, Category.AGENT_CRUD, 100, 100, 0, 100, 60, 98, 100),)
    found = Evidence(span(0, 10_000), (marred(at(3), API, 1, 1),), {}, calls)
    items = slos(statement(found), PLAYBOOK)
    whole = items[0]
    assert (whole.service, whole.counted, whole.missed, whole.met) == (
        "platform",
        10_000,
        "1",
        True,
    )
    assert whole.budget_remaining_ratio == "0"
    assert [i.service for i in items if i.kind == "availability"] == [
        "platform", "api", "orchestration", "governance", "telemetry",
    ]  # fmt: skip
    p95 = next(i for i in items if (i.category, i.percentile) == ("agent_crud", "p95"))
    assert (p95.missed, p95.budget_remaining_ratio) == ("2", "0.6")
    assert re.search(r"^ +p95 +< 250 ms ", slos_as_text(items), re.MULTILINE)


def test_rates_are_listed_by_window_and_those_that_alarm_are_marked() -> None:
    items = slos(statement(Evidence(span(0, 10), (), {}, ())), PLAYBOOK)
    assert "BY WINDOW" not in slos_as_text(items)
    burn = tuple(
        Burning(window=window, valid=9, bad=1, rate=rate, alarms_above=alarm)
        for window, rate, alarm in (
            ("1h", "14.401", "14.4"), ("6h", "6", "6"), ("24h", None, "3"), ("72h", "infinite", "1")
        )
    )  # fmt: skip
    text = slos_as_text([msgspec.structs.replace(item, burn=burn) for item in items])
    assert re.search(r"^  platform +14\.40 ! +6 +- +infinite !$", text, re.MULTILINE)
    assert re.search(r"^  alarms above +14\.4 +6 +3 +1$", text, re.MULTILINE)


def test_the_text_names_everything_that_a_customer_needs() -> None:
    stated = statement(evidence(marred(at(3), API, 1, 1), silent=(span(4, 6),)))
    text = as_text(stated)
    for part in (
        "SERVICE LEVEL STATEMENT", "Acme (tnt_1)", "97%   (exactly 97/100)", "MISSED",
        "100 in all", "2026-11-05 10:03 UTC to 2026-11-05 10:04 UTC   1 min",
        "telemetry: the probe left no entry", "more than 5% of them failed",
        "50% of the monthly fee", "Ledger of tnt_1: 7 entries, numbers 3 to 9",
        PLAYBOOK.digest,
    ):  # fmt: skip
        assert part in text, part


def test_the_brief_names_what_was_reached_lost_and_is_due() -> None:
    stated = statement(evidence(marred(at(3), API, 1, 1), silent=(span(4, 6),)))
    brief = as_brief(stated)
    for part in (
        "Acme (enterprise), 2026-11-05 10:00 UTC to 2026-11-05 11:40 UTC",
        "97%   (exactly 97/100)", "MISSED", "3 unavailable", "50% of the monthly fee",
        "api: too many calls failed by our fault", "telemetry: the probe left no entry",
    ):  # fmt: skip
        assert part in brief, part
    assert len(brief.splitlines()) < len(as_text(stated).splitlines()) / 3


def test_the_first_figure_that_differs_is_named() -> None:
    one, other = statement(evidence()), statement(evidence(marred(at(3), API, 1, 1)))
    assert first_difference(one, one) is None
    assert first_difference(one, other) == ("minutes.unavailable", 0, 1)


def test_two_spans_of_evidence_join_into_one() -> None:
    before = Evidence(
        span(0, 5), (marred(at(1), API, 1, 1),), {API: Watch(at(0), (span(3, 5),))}, ()
    )
    after = Evidence(
        span(5, 9), (marred(at(8), API, 1, 1),), {API: Watch(at(0), (span(5, 6),))}, ()
    )
    judgement = judge(joined(before, after), TERMS, NOTICE)
    assert [o.span for o in outages(judgement)] == [span(1, 2), span(3, 6), span(8, 9)]


def test_figures_are_cut_off_and_never_flatter() -> None:
    assert decimal_text(Fraction(2, 3)) == "0.666666666666"


def test_a_statement_names_the_agreement_that_it_was_judged_by() -> None:
    stated, document = statement(evidence()), PLAYBOOK.document
    assert stated.agreement
    assert (stated.agreement.company, stated.agreement.version) == (
        document.company, document.version,
    )  # fmt: skip
    named = f"{document.product} {document.version} of {document.updated}, {document.company}"
    assert f"Agreement     {named}" in as_text(stated)


def test_an_objective_says_how_much_may_be_lost_in_the_month_and_in_a_year() -> None:
    items = slos(statement(Evidence(Month(2026, 11).span, (), {}, ()), month="2026-11"), PLAYBOOK)
    told = {(one.allowed_this_month, one.allowed_in_a_year) for one in items}
    assert told == {("4.32", "52.596"), (None, None)}
    assert "99.99% lets 4.32 minutes be lost this month, 52.596 in a year" in slos_as_text(items)
