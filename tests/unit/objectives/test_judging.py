"""Which minutes are lost, and by which method what is worth how much."""

from dataclasses import replace
from fractions import Fraction

import pytest
from tests.unit.objectives.evidence import (
    API,
    NOTICE,
    ORCHESTRATION,
    PLAYBOOK,
    TERMS,
    at,
    by,
    evidence,
    lost,
    marred,
    minutes,
    span,
    statement,
    work,
)

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.statements import Evidence, Watch, as_text, judge, outages, slos
from ai_agent_mesh.operations.statements.model import Calls
from ai_agent_mesh.operations.statements.rules import read_singly, silence, terms_of
from ai_agent_mesh.sla import (
    Category,
    Method,
    Service,
    minute_number,
)


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
    assert slos(stated, PLAYBOOK)[0].missed == spent


def test_a_fraction_too_long_to_read_is_left_out() -> None:
    primes = [n for n in range(1_000, 9_999) if all(n % d for d in range(2, 100))]
    minutes = [marred(at(5 * n), API, prime, 1) for n, prime in enumerate(primes)]
    found = evidence(*minutes, length=5 * len(primes))
    stated = statement(found, playbook=by(Method.INTERVALS))
    assert stated.availability is not None
    assert stated.availability.startswith("99.9")
    assert stated.availability_fraction is None
    assert "exactly" not in as_text(stated)
