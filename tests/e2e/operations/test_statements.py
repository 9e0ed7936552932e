"""A statement says what happened, to the minute, and the entries bear it out."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import structs
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.objectives import Objectives
from ai_agent_mesh.operations.statements import Statement, first_difference
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import Fault, Method, Service


async def ten_minutes(book: Book) -> Statement:
    """Ten probed minutes: two with failing calls, two in which the probe missed one service."""
    tenant = await book.tenant("acme", "enterprise", at(0, -30))
    await book.probe(at(0), 6)
    await book.probe(at(6), 2, without=(Service.TELEMETRY,))
    await book.probe(at(8), 2)
    # minute 1: 1 of 20 (the probe's call included) is exactly 5%: still available
    await book.calls(tenant, at(1, 20), times=18)
    await book.calls(tenant, at(1, 30), fault=Fault.PLATFORM)
    # minute 2: 1 of 19 is more than 5%
    await book.calls(tenant, at(2, 20), times=17)
    await book.calls(tenant, at(2, 30), fault=Fault.PLATFORM)
    # minute 7: the same minute down for two services counts once
    await book.calls(tenant, at(7, 1), fault=Fault.PLATFORM)
    # not ours: a client's mistake, a quota, an upstream's failure
    await book.calls(tenant, at(4), times=3, fault=Fault.CLIENT)
    await book.calls(tenant, at(4), times=3, fault=Fault.QUOTA)
    await book.calls(tenant, at(4), times=3, fault=Fault.UPSTREAM)
    # another tenant's trouble is not in this tenant's figures
    other = await book.tenant("other", "free", at(0))
    await book.calls(other, at(5), times=5, fault=Fault.PLATFORM)
    await book.number()
    return await book.objectives.statement("acme", Span(at(0), at(10)))


@pytest.fixture
async def judged(book: Book) -> Statement:
    """Return the statement of the ten minutes."""
    return await ten_minutes(book)


async def test_the_minutes_are_counted_one_by_one(judged: Statement) -> None:
    assert (judged.minutes.total, judged.minutes.counted, judged.minutes.unavailable) == (10, 10, 3)
    assert (judged.availability, judged.availability_fraction) == ("70%", "7/10")
    assert judged.met is False
    assert judged.credit_percent == "50"
    assert judged.so_far is False


async def test_each_unavailable_span_names_its_services_and_causes(judged: Statement) -> None:
    told = [(o.since, o.until, o.services, o.causes) for o in judged.unavailable]
    assert told == [
        (at(2), at(3), ("api",), ("errors",)),
        (at(6), at(7), ("telemetry",), ("silence",)),
        (at(7), at(8), ("api", "telemetry"), ("errors", "silence")),
    ]
    assert {s.service: s.minutes.unavailable for s in judged.services} == {
        "api": 2, "orchestration": 0, "governance": 0, "telemetry": 2,
    }  # fmt: skip


async def test_the_budget_is_the_promise_times_the_counted_minutes(judged: Statement) -> None:
    budget = judged.error_budget
    assert (budget.allowed_minutes, budget.spent_minutes) == ("0.001", "3")
    assert budget.remaining_ratio == "-2999"


async def test_latency_counts_own_and_probe_calls_and_failures_are_never_within(
    judged: Statement,
) -> None:
    p95 = next(x for x in judged.latency if (x.category, x.percentile) == ("agent_crud", "p95"))
    # 35 of its own and 10 of the probe's stayed under 250 ms; 3 failed
    assert (p95.valid, p95.within, p95.met) == (48, 45, False)
    assert p95.attainment == "93.75%"


async def test_the_ledger_range_is_told(judged: Statement) -> None:
    own, probe = judged.ledger
    assert (own.first_number, own.last_number, own.entries) == (1, 47, 47)
    assert (probe.tenant, probe.entries) == ("probe", 38)


async def test_the_entries_give_the_same_figures(book: Book, judged: Statement) -> None:
    recounted = await book.objectives.recount(judged)
    assert first_difference(judged, recounted) is None


@pytest.mark.parametrize("method", Method)
async def test_by_every_method_the_entries_give_the_same_figures(
    book: Book, method: Method
) -> None:
    tier = structs.replace(default().tiers["enterprise"], method=method)
    book.under(structs.replace(default(), tiers={**default().tiers, "enterprise": tier}))
    stated = await ten_minutes(book)
    assert first_difference(stated, await book.objectives.recount(stated)) is None
    shares = {
        Method.PERIOD: "7/10",
        Method.ALL_FAIL: "4/5",
        # 2 of the API's 45 calls; then telemetry's 8 for silence beside 3: 1 - (2/45 + 8/11) / 2
        Method.INTERVALS: "304/495",
        # 51 of the API, 20 of two others, telemetry's 8 and 8 for silence; 2 + 1 + 8 are bad
        Method.REQUESTS: "76/87",
    }
    assert stated.availability_fraction == shares[method]


async def test_calls_are_recounted_by_the_thresholds_of_their_time(
    book: Book, judged: Statement
) -> None:
    crud = default().latency["agent_crud"]
    stricter = structs.replace(crud, p50=timedelta(microseconds=1), p95=timedelta(microseconds=2))
    today = structs.replace(default(), latency={**default().latency, "agent_crud": stricter})
    judge = Objectives(book.databases.operations, today, book.clock)
    stated = await judge.statement("acme", Span(at(0), at(10)))
    within = {x.percentile: x.within for x in stated.latency if x.category == "agent_crud"}
    assert within["p95"] == next(
        x.within for x in judged.latency if (x.category, x.percentile) == ("agent_crud", "p95")
    )
    assert first_difference(stated, await judge.recount(stated)) is None


async def test_a_roll_up_that_was_tampered_with_is_found_and_named(
    book: Book, judged: Statement
) -> None:
    async with book.databases.ledger.transaction() as tx:
        await tx.execute(
            "UPDATE ledger_minute SET bad = 0 WHERE minute = $1 AND tenant_id = $2",
            at(2),
            judged.tenant,
        )
    flattered = await book.objectives.statement("acme", Span(at(0), at(10)))
    recounted = await book.objectives.recount(flattered)
    assert first_difference(flattered, recounted) == ("minutes.unavailable", 2, 3)


@pytest.mark.usefixtures("judged")
async def test_a_month_is_judged_from_the_tenants_first_whole_minute_to_the_present(
    book: Book,
) -> None:
    month = await book.objectives.statement("acme", Month(2026, 11))
    assert (month.since, month.until) == (at(0), at(59, day=6, hour=11))
    assert month.so_far
    # from the 10th minute on nobody probed at all: silence
    assert month.minutes.total == 25 * 60 + 59
    assert month.minutes.unavailable == 3 + month.minutes.total - 10
    assert (month.unavailable[-1].since, month.unavailable[-1].until) == (at(10), month.until)
    assert month.unavailable[-1].services == tuple(Service)
    recounted = await book.objectives.recount(month)
    assert first_difference(month, recounted) is None


async def test_a_service_is_watched_from_its_first_probe_on(book: Book) -> None:
    await book.tenant("early", "free", at(0, hour=8))
    await book.probe(at(0), 3, without=(Service.GOVERNANCE,))
    await book.number()
    stated = await book.objectives.statement("early", Span(at(0, hour=9), at(5)))
    down = {s.service: s.minutes.unavailable for s in stated.services}
    assert down == {"api": 2, "orchestration": 2, "governance": 0, "telemetry": 2}
    assert [(o.since, o.until) for o in stated.unavailable] == [(at(3), at(5))]
    assert stated.services[2].watched_since is None


async def test_a_late_entry_changes_the_past_in_day_and_minute_alike(book: Book) -> None:
    tenant = await book.tenant("late", "free", at(0, day=1))
    await book.calls(tenant, at(0, day=3), times=4)
    await book.number()
    await book.calls(tenant, at(0, day=3), times=6, fault=Fault.PLATFORM)
    await book.calls(tenant, at(1, day=3), times=2)
    await book.number()
    stated = await book.objectives.statement("late", Month(2026, 11))
    assert [(c.calls, c.bad) for c in stated.calls] == [(12, 6)]
    assert stated.minutes.unavailable == 1
    assert first_difference(stated, await book.objectives.recount(stated)) is None


async def test_a_day_without_a_gap_is_read_from_its_row_alone(book: Book) -> None:
    """A day with every minute probed has no silence; one missing minute is found in it."""
    await book.tenant("whole", "free", at(0, day=1, hour=0))
    await fill_day(book, 2, missing=())
    await fill_day(book, 3, missing=(61,))
    span = Span(at(0, day=2, hour=0), at(0, day=4, hour=0))
    stated = await book.objectives.statement("whole", span)
    assert [(o.since, o.minutes) for o in stated.unavailable] == [(at(1, day=3, hour=1), 1)]
    assert stated.minutes.total == 2 * 1440


async def fill_day(book: Book, day: int, missing: tuple[int, ...]) -> None:
    """Write a day of the probe's roll-ups as the sequencer would."""
    async with book.databases.ledger.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO ledger_minute
            SELECT 'probe', $1::timestamptz + n * interval '1 minute', 'api', 'agent_crud',
                   4, 4, 0, 4, 4, 4, 4
            FROM generate_series(0, 1439) AS n WHERE n <> ALL ($2::int[])
            """,
            at(0, day=day, hour=0),
            list(missing),
        )


@pytest.mark.parametrize("method", list(Method))
async def test_a_tenant_that_moved_between_tiers_is_judged_on_each(
    book: Book, method: Method
) -> None:
    tiers = {
        name: structs.replace(tier, method=method) for name, tier in book.playbook.tiers.items()
    }
    book.under(structs.replace(book.playbook, tiers=tiers))
    tenant = await book.tenant("mover", "professional", at(0, day=1, hour=0))
    await book.move(tenant, "enterprise", at(5, 30), Money(Decimal(4_320)))
    await book.probe(at(0), 10)
    await book.calls(tenant, at(2, 20), fault=Fault.PLATFORM)
    await book.calls(tenant, at(7, 20), fault=Fault.PLATFORM, times=3)
    await book.number()
    stated = await book.objectives.statement(tenant, Span(at(0), at(10)))
    assert [(p.tier, p.since, p.until) for p in stated.parts] == [
        ("professional", at(0), at(6)),
        ("enterprise", at(6), at(10)),
    ]
    # The fee of 4 minutes; half of it is due, but where the probe's good call saves the minute.
    due = "0.00" if method is Method.ALL_FAIL else "0.20"
    assert [(a.currency, a.amount) for a in stated.parts[1].fee] == [("USD", "0.40")]
    assert [(a.currency, a.amount) for a in stated.credit] == [("USD", due)]
    assert [(c.service, c.calls, c.bad) for c in stated.calls if c.bad] == [("api", 14, 4)]
    assert first_difference(stated, await book.objectives.recount(stated)) is None
