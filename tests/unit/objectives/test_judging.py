"""Figures worked out by hand, on paper, before the code was asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from msgspec import structs

from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.maintenance import Maintenance, Proof
from ai_agent_mesh.operations.objectives import (
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
from ai_agent_mesh.operations.statements.model import Calls, Tenure
from ai_agent_mesh.operations.statements.rules import read_singly, silence, terms_of
from ai_agent_mesh.operations.statements.statement import LedgerRange, Statement
from ai_agent_mesh.operations.statements.stating import Subject, state
from ai_agent_mesh.playbook import Playbook, default
from ai_agent_mesh.sla import (
    Category,
    Judged,
    Method,
    MinuteCount,
    Service,
    minute_number,
)

PLAYBOOK = default()
TERMS = PLAYBOOK.measurement.terms(Method.PERIOD)
NOTICE = PLAYBOOK.maintenance.notice
API, ORCHESTRATION = Service.API, Service.ORCHESTRATION


def at(minute: int, second: int = 0, *, day: int = 5) -> datetime:
    """Return a moment of the 5th (or another day) of November 2026 after 10:00."""
    return datetime(2026, 11, day, 10, tzinfo=UTC) + timedelta(minutes=minute, seconds=second)


def span(since: int, until: int) -> Span:
    """Return a span of minutes after 10:00."""
    return Span(at(since), at(until))


def marred(moment: datetime, service: Service, valid: int, bad: int) -> MinuteCount:
    """Return the calls of a service in a minute."""
    return MinuteCount(minute_number(moment), service, valid, bad)


def lost(judged: Judged) -> int:
    """Return how many minutes were unavailable."""
    return len(judged.unavailable)


def evidence(*minutes: MinuteCount, silent: tuple[Span, ...] = (), length: int = 100) -> Evidence:
    """Return the evidence of some minutes, telemetry watched all along."""
    watches = {Service.TELEMETRY: Watch(at(0), silent)}
    return Evidence(span(0, length), minutes, watches, ())


def work(
    planned: Span, ahead: timedelta, services: frozenset[Service] | None = None
) -> Maintenance:
    """Return maintenance that was announced so long ahead."""
    told = Proof(planned.since - ahead, "ent_1", 1)
    return Maintenance("mnt_1", "Disks", "", planned, services, told)


@pytest.mark.parametrize(
    ("valid", "bad", "unavailable"),
    [(20, 1, 0), (19, 1, 1), (100, 5, 0), (100, 6, 1), (1, 1, 1), (1_000_000, 50_001, 1)],
)
def test_a_minute_is_unavailable_only_above_five_percent(
    valid: int, bad: int, unavailable: int
) -> None:
    judgement = judge(evidence(marred(at(3), API, valid, bad)), TERMS, NOTICE)
    assert lost(judgement.platform) == unavailable


def test_the_platform_is_judged_by_the_union_of_its_services() -> None:
    judgement = judge(
        evidence(
            marred(at(3), API, 1, 1),
            marred(at(3), ORCHESTRATION, 1, 1),
            marred(at(4), ORCHESTRATION, 1, 1),
            silent=(span(4, 6),),
        ),
        TERMS,
        NOTICE,
    )
    assert lost(judgement.platform) == 3
    assert judgement.platform.availability == Fraction(97, 100)
    assert {s: lost(m) for s, m in judgement.services.items()} == {
        API: 1, ORCHESTRATION: 2, Service.GOVERNANCE: 0, Service.TELEMETRY: 2,
    }  # fmt: skip
    assert [(o.span, o.services, o.causes) for o in outages(judgement)] == [
        (span(3, 4), (API, ORCHESTRATION), ("errors",)),
        (span(4, 5), (ORCHESTRATION, Service.TELEMETRY), ("errors", "silence")),
        (span(5, 6), (Service.TELEMETRY,), ("silence",)),
    ]


def test_adjoining_minutes_are_one_outage_and_a_gap_makes_two() -> None:
    minutes = (3, 4, 5, 9)
    judgement = judge(evidence(*(marred(at(m), API, 2, 1) for m in minutes)), TERMS, NOTICE)
    assert [o.span for o in outages(judgement)] == [span(3, 6), span(9, 10)]


def test_maintenance_leaves_both_sides_of_the_fraction() -> None:
    found = evidence(marred(at(3), API, 1, 1), silent=(span(10, 20),))
    works = (work(span(0, 12), ahead=NOTICE),)
    minutes = judge(replace(found, works=works), TERMS, NOTICE).platform
    assert (minutes.total, minutes.excluded, minutes.counted, lost(minutes)) == (100, 12, 88, 8)


def test_a_service_is_silent_only_while_it_is_watched() -> None:
    spoken = {minute_number(at(minute)) for minute in (3, 4, 6)}
    assert silence(at(3), span(0, 8), spoken) == Watch(at(3), (span(5, 6), span(7, 8)))
    assert silence(at(-60), span(0, 4), spoken).silent == (span(0, 3),)


def test_whole_intervals_are_read_around_trouble() -> None:
    watches = {API: Watch(at(0), (span(14, 16),))}
    bad, excluded = [marred(at(2), API, 1, 1)], [minutes(3, 7), minutes(6, 8)]

    def read(method: Method, *excluded: range) -> tuple[Span, ...]:
        return read_singly(bad, watches, excluded, PLAYBOOK.measurement.terms(method))

    assert read(Method.INTERVALS) == (span(0, 5), span(10, 20))
    assert read(Method.INTERVALS, *excluded) == (span(0, 8), span(10, 20))
    assert read(Method.REQUESTS, *excluded) == (span(3, 8),)
    assert read(Method.PERIOD, *excluded) == ()


def minutes(since: int, until: int) -> range:
    """Return minutes after 10:00 by number."""
    return range(minute_number(at(since)), minute_number(at(until)))


def by(method: Method) -> Playbook:
    """Return the playbook with a method for the enterprise tier."""
    tier = structs.replace(PLAYBOOK.tiers["enterprise"], method=method)
    return structs.replace(PLAYBOOK, tiers={**PLAYBOOK.tiers, "enterprise": tier})


@pytest.mark.parametrize(
    ("method", "availability", "fraction", "unavailable", "spent"),
    [
        (Method.PERIOD, "97%", "97/100", 3, "3"),
        (Method.ALL_FAIL, "98%", "49/50", 2, "2"),
        # The 1st of 20 intervals: 6 of 20 bad; the 2nd, of another service: two minutes silent.
        (Method.INTERVALS, "93.5%", "187/200", None, "6.5"),
        # 6 of 1,000 valid calls, and 8 more for two minutes of silence.
        (Method.REQUESTS, "98.611111111111%", "71/72", None, "1.388888888888"),
    ],
)
def test_each_method_states_its_own_figures(
    method: Method, availability: str, fraction: str, unavailable: int | None, spent: str
) -> None:
    found = Evidence(
        span(0, 100),
        (marred(at(1), API, 10, 6), marred(at(2), API, 10, 0)),
        {Service.TELEMETRY: Watch(at(0), (span(5, 7),))},
        (Calls(API, Category.AGENT_CRUD, 1000, 1000, 6, 0, 0, 0, 0),),
    )
    playbook = by(method)
    stated = statement(found, playbook=playbook)
    assert terms_of("enterprise", playbook).method is method
    assert (stated.availability, stated.availability_fraction) == (availability, fraction)
    assert (stated.minutes.unavailable, stated.error_budget.spent_minutes) == (unavailable, spent)
    assert stated.method == method.value
    assert bool(stated.unavailable) is (unavailable is not None)
    text = as_text(stated)
    assert ("names no minutes" in text) is (unavailable is None)
    assert slos(stated)[0].missed == spent


def test_a_fraction_too_long_to_read_is_left_out() -> None:
    primes = [n for n in range(1_000, 9_999) if all(n % d for d in range(2, 100))]
    minutes = [marred(at(5 * n), API, prime, 1) for n, prime in enumerate(primes)]
    found = evidence(*minutes, length=5 * len(primes))
    stated = statement(found, playbook=by(Method.INTERVALS))
    assert stated.availability is not None
    assert stated.availability.startswith("99.9")
    assert stated.availability_fraction is None
    assert "exactly" not in as_text(stated)


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
    items = slos(statement(found))
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
    assert "latency: agent_crud p95 < 250 ms" in slos_as_text(items)


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


def statement(
    found: Evidence,
    tier: str = "enterprise",
    month: str | None = None,
    playbook: Playbook = PLAYBOOK,
) -> Statement:
    """State some evidence."""
    asked = Month.parse(month).span if month else found.span
    subject = Subject("tnt_1", "Acme", month, asked)
    tenure = Tenure(tier, found.span, ((found.span, None),))
    return state(subject, [(tenure, found)], [LedgerRange("tnt_1", 3, 9, 7)], playbook, at(0))


def test_figures_are_cut_off_and_never_flatter() -> None:
    assert decimal_text(Fraction(2, 3)) == "0.666666666666"
