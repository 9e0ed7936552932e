"""Maintenance that was announced in time leaves the figures, and the ledger alone proves it."""

from datetime import datetime, timedelta

import asyncpg
import pytest
from icalendar import Calendar, Event
from msgspec import structs
from tests.conftest import Databases
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.planned import (
    AlreadyCancelled,
    AlreadyOver,
    Draft,
    Maintenance,
    MaintenanceMissing,
    PlatformAlone,
)
from ai_agent_mesh.operations.statements import Statement, as_text, first_difference
from ai_agent_mesh.operations.status import State, Status
from ai_agent_mesh.operations.status.calendar import calendar as calendar_feed
from ai_agent_mesh.operations.status.statuspage import summary
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import Fault, Method, Service

NOTICE = default().maintenance.notice
TICK = timedelta.resolution
HOUR = Span(at(0), at(60))


async def announce(
    book: Book, told: datetime, since: datetime, until: datetime, *services: Service
) -> Maintenance:
    """Announce maintenance as the platform's operator, at a moment."""
    draft = Draft(title="Disks", since=since, until=until, services=list(services) or None)
    async with book.databases.app.tenant("platform") as tx:
        return await calendar(book, tx, told).announce(draft)


async def cancel(book: Book, work: Maintenance, moment: datetime) -> Maintenance:
    """Call it off at a moment."""
    async with book.databases.app.tenant("platform") as tx:
        return await calendar(book, tx, moment).cancel(work.id)


def calendar(book: Book, tx: object, moment: datetime) -> MaintenanceCalendar:
    """Return the calendar in a transaction, at a moment."""
    return MaintenanceCalendar(tx, book.playbook, FixedClock(moment), "usr_operator")  # type: ignore[arg-type] # a Tx


@pytest.fixture
async def hour(book: Book) -> str:
    """An hour with a call that failed in its minutes 5, 15, 25 and 35; return the tenant."""
    tenant = await book.tenant("acme", "enterprise", at(0, -30))
    for minute in (5, 15, 25, 35):
        await book.calls(tenant, at(minute, 1), fault=Fault.PLATFORM)
        await book.calls(tenant, at(minute, 2))
    return tenant


async def stated(book: Book, span: Span = HOUR) -> Statement:
    """Number what was written, state the span, and hold the entries against it."""
    await book.number()
    statement = await book.objectives.statement("acme", span)
    assert first_difference(statement, await book.objectives.recount(statement)) is None
    return statement


def lost(statement: Statement) -> list[int]:
    """Return the minutes after 10:00 that were unavailable."""
    return [(one.since - at(0)) // timedelta(minutes=1) for one in statement.unavailable]


@pytest.mark.usefixtures("hour")
async def test_minutes_announced_in_time_leave_the_figures_with_their_proof(book: Book) -> None:
    work = await announce(book, at(3) - NOTICE, at(3), at(20))
    statement = await stated(book)
    assert lost(statement) == [25, 35]
    assert (statement.minutes.total, statement.minutes.excluded) == (60, 17)
    assert statement.availability_fraction == "41/43"
    (told,) = statement.maintenance
    assert (told.id, told.entry, told.number) == (work.id, work.announced.entry, 1)
    assert (told.announced_at, told.excluded_minutes) == (at(3) - NOTICE, 17)
    assert (told.late, told.outside_window, told.cancelled_at) == (False, True, None)
    text = as_text(statement)
    assert "17 minutes excluded; outside the usual window" in text
    assert "platform's entry 1" in text


@pytest.mark.usefixtures("hour")
async def test_a_microsecond_too_late_excludes_nothing_and_is_told(book: Book) -> None:
    await announce(book, at(3) - NOTICE + TICK, at(3), at(20))
    statement = await stated(book)
    assert lost(statement) == [5, 15, 25, 35]
    (told,) = statement.maintenance
    assert (told.late, told.excluded_minutes, statement.minutes.excluded) == (True, 0, 0)
    assert "announced too late" in as_text(statement)


@pytest.mark.usefixtures("hour")
async def test_what_starts_early_or_overruns_is_judged(book: Book) -> None:
    # The span begins within minute 5 and ends within minute 25: neither is wholly inside.
    await announce(book, at(0) - 2 * NOTICE, at(5, 1), at(25, 59))
    statement = await stated(book)
    assert lost(statement) == [5, 25, 35]
    assert statement.maintenance[0].excluded_minutes == 19


@pytest.mark.usefixtures("hour")
@pytest.mark.parametrize("moment", [at(0, day=3), at(10)], ids=["before", "while it runs"])
async def test_a_cancelled_one_excludes_nothing(book: Book, moment: datetime) -> None:
    work = await announce(book, at(3) - NOTICE, at(3), at(20))
    assert (await stated(book)).minutes.excluded == 17
    off = await cancel(book, work, moment)
    assert off.cancelled is not None
    statement = await stated(book)
    (told,) = statement.maintenance
    assert (told.cancelled_at, told.cancel_entry) == (moment, off.cancelled.entry)
    assert (told.cancel_number, told.excluded_minutes) == (2, 0)
    assert lost(statement) == [5, 15, 25, 35]


async def test_it_is_cancelled_once_and_not_when_it_is_over(book: Book) -> None:
    work = await announce(book, at(0, day=1), at(3), at(20))
    for moment in (at(20), at(0, day=9)):
        with pytest.raises(AlreadyOver):
            await cancel(book, work, moment)
    await cancel(book, work, at(20) - TICK)
    with pytest.raises(AlreadyCancelled):
        await cancel(book, work, at(4))
    with pytest.raises(MaintenanceMissing):
        await cancel(book, structs_id(work, "mnt_nowhere"), at(4))


def structs_id(work: Maintenance, name: str) -> Maintenance:
    """Return maintenance of another id."""
    return Maintenance(name, work.title, "", work.span, None, work.announced)


@pytest.mark.usefixtures("hour")
async def test_a_named_service_alone_is_left_out_and_overlaps_count_once(book: Book) -> None:
    await announce(book, at(0, day=1), at(3), at(20), Service.TELEMETRY)
    assert lost(await stated(book)) == [5, 15, 25, 35]
    await announce(book, at(0, day=1), at(3), at(20), Service.API)
    await announce(book, at(0, day=1), at(10), at(30), Service.API)
    statement = await stated(book)
    assert lost(statement) == [35]
    excluded = {one.service: one.minutes.excluded for one in statement.services}
    assert excluded == {"api": 27, "orchestration": 0, "governance": 0, "telemetry": 17}
    assert statement.minutes.excluded == 0  # no minute is excluded for every service
    assert [one.excluded_minutes for one in statement.maintenance] == [17, 17, 20]


@pytest.mark.usefixtures("hour")
@pytest.mark.parametrize(
    ("method", "fraction"),
    [
        (Method.PERIOD, "41/43"),
        (Method.ALL_FAIL, "1/1"),
        # 9 intervals count: 12 less the three wholly inside; two of them lost 1 call of 2
        (Method.INTERVALS, "8/9"),
        (Method.REQUESTS, "1/2"),
    ],
)
async def test_by_every_method_the_excluded_minutes_are_out_and_the_entries_agree(
    book: Book, method: Method, fraction: str
) -> None:
    tier = structs.replace(default().tiers["enterprise"], method=method)
    book.under(structs.replace(default(), tiers={**default().tiers, "enterprise": tier}))
    # Calls without trouble inside the span are left out as well where calls are counted.
    await book.calls((await tenant_of(book)), at(12), times=9)
    await announce(book, at(0, day=1), at(3), at(20))
    assert (await stated(book)).availability_fraction == fraction


async def tenant_of(book: Book) -> str:
    """Return the one customer."""
    return (await book.objectives.tenants())[0]


@pytest.mark.usefixtures("hour")
async def test_maintenance_wins_over_the_probes_silence(book: Book) -> None:
    await book.probe(at(0), 3)
    await book.probe(at(20), 40)
    await announce(book, at(0, day=1), at(3), at(20))
    assert lost(await stated(book)) == [25, 35]


async def test_the_public_page_shows_maintenance_and_the_days_without_it(book: Book) -> None:
    book.clock.move(at(30, 20) - book.clock.now())
    await book.probe(at(0), 10)  # then silence
    running = await announce(book, at(0, day=1), at(5), at(40), Service.API)
    await announce(book, at(0), at(5), at(40), Service.TELEMETRY)  # too late: hides nothing
    planned = await announce(book, at(0), at(0, day=8), at(30, day=8))
    off = await announce(book, at(0), at(0, day=9), at(30, day=9))
    await cancel(book, off, at(1))
    await book.number()
    overview = await Status(book.databases.operations, book.playbook, book.clock).overview()
    states = {one.service: one.state for one in overview.components}
    assert (states[Service.API], states[Service.TELEMETRY]) == (State.MAINTENANCE, State.MAJOR)
    today = overview.components[0].days[-1]
    assert (today.judged, today.unavailable, today.excluded) == (5, 0, 25)
    assert (overview.components[3].days[-1].unavailable, overview.worst) == (20, State.MAJOR)
    told = summary(overview, "http://mesh/status")
    assert [part.status for part in told.components][:2] == ["major_outage", "under_maintenance"]
    planned_ones = told.scheduled_maintenances
    assert [(one.status, one.name) for one in planned_ones] == [
        ("in_progress", "Disks"), ("in_progress", "Disks"), ("scheduled", "Disks"),
    ]  # fmt: skip
    assert {running.id, planned.id} < {one.id for one in planned_ones}
    assert "will exclude" in planned_ones[0].incident_updates[0].body
    assert "will be judged" in planned_ones[1].incident_updates[0].body
    assert planned_ones[0].components == ["api"]
    events = {
        str(e["uid"]): e for e in events_in(calendar_feed(overview.works, "http://mesh/status"))
    }
    assert len(events) == 4
    event = events[f"{planned.id}@ai-agent-mesh"]
    assert (event.start, event.end, str(event["status"])) == (
        at(0, day=8), at(30, day=8), "CONFIRMED",
    )  # fmt: skip
    assert str(events[f"{off.id}@ai-agent-mesh"]["status"]) == "CANCELLED"


def events_in(feed: bytes) -> list[Event]:
    """Return the events of a feed, as another program reads them."""
    return list(Calendar.from_ical(feed).events)


@pytest.mark.usefixtures("hour")
async def test_a_row_that_no_entry_bears_out_is_found(book: Book) -> None:
    await announce(book, at(0, day=1), at(3), at(20))
    await book.number()
    admin = await asyncpg.connect(book.databases.migrate_url)
    try:
        await admin.execute("ALTER TABLE maintenance NO FORCE ROW LEVEL SECURITY")
        await admin.execute("UPDATE maintenance SET until = until + interval '10 minutes'")
    finally:
        await admin.close()
    flattered = await book.objectives.statement("acme", HOUR)
    found = first_difference(flattered, await book.objectives.recount(flattered))
    assert found == ("minutes.excluded", 27, 17)


async def test_nobody_but_the_platform_announces_or_cancels(databases: Databases) -> None:
    draft = Draft(title="Mine", since=at(0), until=at(5))
    book = Book(databases, None, None, FixedClock(at(0)), None)  # type: ignore[arg-type] # unused
    work = await announce(book, at(0, day=1), at(3), at(20))
    async with databases.app.tenant("tnt_1") as tx:
        with pytest.raises(PlatformAlone):
            await calendar(book, tx, at(0)).announce(draft)
        with pytest.raises(PlatformAlone):
            await calendar(book, tx, at(0)).cancel(work.id)
        assert await calendar(book, tx, at(0)).get(work.id) == work
        # Were the check forgotten, the database would refuse.
        changed = await tx.execute("UPDATE maintenance SET cancelled_at = now(), cancel_entry = ''")
        assert changed == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.savepoint():
                await tx.execute(
                    "INSERT INTO maintenance VALUES ('mnt_x', '', '', now(), now()"
                    " + interval '1 h', NULL, now(), 'me', 'ent_x')"
                )


async def test_the_row_and_its_entry_are_in_or_out_together(databases: Databases) -> None:
    book = Book(databases, None, None, FixedClock(at(0)), None)  # type: ignore[arg-type] # unused
    draft = Draft(title="Disks", since=at(3), until=at(20))
    tx = await databases.app.begin("platform")
    await calendar(book, tx, at(0, day=1)).announce(draft)
    await databases.app.rollback(tx)
    assert await counts(databases) == (0, 0)
    await announce(book, at(0, day=1), at(3), at(20))
    assert await counts(databases) == (1, 1)


async def counts(databases: Databases) -> tuple[int, int]:
    """Return how many rows and how many waiting entries there are."""
    async with databases.operations.transaction() as tx:
        rows = await tx.fetchval("SELECT count(*) FROM maintenance")
        entries = await tx.fetchval(
            "SELECT count(*) FROM ledger_inbox WHERE tenant_id = 'platform'"
        )
    return rows, entries
