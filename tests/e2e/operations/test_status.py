"""The public state follows the evidence, and outlives the database."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.operations.incidents import Draft, Incidents, Resolution
from ai_agent_mesh.operations.status import RECENT, Readiness, State, Status, indicator
from ai_agent_mesh.operations.status.reported import reported
from ai_agent_mesh.operations.status.statuspage import summary
from ai_agent_mesh.playbook import Severity
from ai_agent_mesh.sla import Category, Fault, Service

TICK = timedelta.resolution


async def test_an_unmeasured_mesh_is_unknown_and_in_no_trouble(book: Book) -> None:
    overview = await status(book).overview()
    assert {one.state for one in overview.components} == {State.UNKNOWN}
    assert summary(overview, "http://mesh/status").components[1].status == "operational"


async def test_the_newest_minute_decides(book: Book) -> None:
    book.clock.move(at(10, 20) - book.clock.now())
    await book.probe(at(0), 9)
    await book.probe(at(9), 1, without=(Service.TELEMETRY,))
    await book.calls("platform", at(9), service=Service.GOVERNANCE,
                     category=Category.OTHER, fault=Fault.PLATFORM)  # fmt: skip
    await book.calls("platform", at(7), fault=Fault.PLATFORM)
    await book.number()
    overview = await status(book).overview()
    assert {one.service: one.state for one in overview.components} == {
        Service.API: State.DEGRADED,
        Service.ORCHESTRATION: State.OPERATIONAL,
        Service.GOVERNANCE: State.PARTIAL,
        Service.TELEMETRY: State.MAJOR,
    }
    assert overview.at == at(10)
    assert indicator(overview)[0] == "critical"


async def test_each_day_shows_its_lost_minutes_and_no_day_before_the_first_call(
    book: Book,
) -> None:
    book.clock.move(at(10, 20) - book.clock.now())
    await book.calls("tnt_x", at(0, day=3), fault=Fault.PLATFORM)
    await book.probe(at(0), 10)
    await book.number()
    api = (await status(book).overview()).components[0]
    assert len(api.days) == 90
    shown = [(day.day.day, day.judged, day.unavailable) for day in api.days if day.judged]
    assert shown == [(3, 14 * 60, 1), (4, 1440, 0), (5, 10 * 60 + 10, 0)]


async def test_one_reading_serves_all_for_some_seconds(book: Book) -> None:
    one = status(book)
    first = await one.overview()
    await book.probe(at(0), 1)
    await book.number()
    assert await one.overview() is first


async def test_the_last_known_state_is_shown_when_the_database_is_gone(book: Book) -> None:
    book.clock.move(at(10, 20) - book.clock.now())
    await book.probe(at(0), 10)
    await book.number()
    one = status(book)
    known = await one.overview()
    await book.databases.operations.close()
    one._read_at -= 60
    now = await one.overview()
    assert (now.stale, now.at, now.components) == (True, known.at, known.components)
    never = await status(book).overview()
    assert never.stale
    assert never.at is None
    assert summary(never, "http://mesh/status").status.indicator == "critical"


async def test_the_summary_has_the_shape_that_statuspage_clients_read(book: Book) -> None:
    answer = msgspec.to_builtins(summary(await status(book).overview(), "http://mesh/status"))
    assert set(answer) == {"page", "components", "incidents", "scheduled_maintenances", "status"}
    group, *parts = answer["components"]
    assert group["group"]
    assert group["components"] == [part["id"] for part in parts]
    assert {part["group_id"] for part in parts} == {group["id"]}
    assert [part["name"] for part in parts] == [
        "API", "Orchestration", "Governance", "Telemetry",
    ]  # fmt: skip


async def test_open_incidents_and_those_of_the_last_days_are_shown_to_everybody(book: Book) -> None:
    now = book.clock.now()
    for title, ended in (("Over", now - RECENT - TICK), ("Recent", now - RECENT), ("Open", None)):
        await tell(book, title, (ended or now) - timedelta(hours=1), ended)
    overview = await status(book).overview()
    assert [(one.title, one.opened_by) for one in overview.incidents] == [
        ("Open", None), ("Recent", None),
    ]  # fmt: skip
    told = summary(overview, "http://mesh/status")
    assert [(one.name, one.status, one.impact, one.components) for one in told.incidents] == [
        ("Open", "investigating", "major", ["telemetry"]),
    ]  # fmt: skip
    (recent,) = reported(overview.incidents[1:], "http://mesh/status")
    assert (recent.status, recent.incident_updates[0].body) == ("resolved", "A disk was full.")


async def tell(book: Book, title: str, began: datetime, ended: datetime | None) -> None:
    """Open an incident, and resolve it where it ended."""
    draft = Draft(title=title, severity=Severity.SEV2, services=[Service.TELEMETRY], began_at=began)
    async with book.databases.app.tenant("platform") as tx:
        incidents = Incidents(tx, book.playbook, FixedClock(ended or began), "usr_1")
        one = await incidents.open(draft)
        if ended:
            await incidents.resolve(one.id, Resolution(cause="A disk was full.", resolved_at=ended))


async def test_readiness_names_what_is_wrong(book: Book) -> None:
    ready = readiness(book)
    book.clock.move(await drift(book))
    report = await ready.report()
    assert {one.name: one.ok for one in report.checks} == {
        "database": True, "migrations": True, "clock": True, "sequencer": False, "inbox": True,
        "disk": True,
    }  # fmt: skip
    epoch = await book.sequencer.take_over()
    assert epoch is not None
    assert (await ready.report()).ready
    book.clock.move(timedelta(seconds=5))
    wrong = [one for one in (await ready.report()).checks if not one.ok]
    assert [one.name for one in wrong] == ["clock"]
    assert "s away" in (wrong[0].reason or "")
    await book.databases.app.close()
    gone = [one.name for one in (await ready.report()).checks if not one.ok]
    assert gone == ["database", "clock"]


async def drift(book: Book) -> timedelta:
    """Return how far the book's standing clock is from the database's."""
    async with book.databases.operations.transaction() as tx:
        theirs = await tx.fetchval("SELECT clock_timestamp()")
    return theirs - book.clock.now()  # type: ignore[no-any-return] # a column


def status(book: Book) -> Status:
    """Return a fresh keeper of the overview."""
    return Status(book.databases.operations, book.playbook, book.clock)


def readiness(book: Book) -> Readiness:
    """Return the checks of a process on the book's database."""
    databases = book.databases
    return Readiness(
        databases.app, databases.operations, book.inbox, book.sequencer, book.playbook, book.clock,
        Path(__file__).parent,
    )  # fmt: skip
