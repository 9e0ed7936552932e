"""A statement names the incidents behind each outage, as they were told when it was computed."""

from datetime import datetime, timedelta

import asyncpg
import pytest
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.incidents import Change, Draft, Incident, Incidents, Resolution
from ai_agent_mesh.operations.statements import Statement, as_text, first_difference
from ai_agent_mesh.playbook import Severity
from ai_agent_mesh.sla import Fault, Service

TEN = Span(at(0), at(10))
TOLD = at(30)


@pytest.fixture
async def acme(book: Book) -> str:
    """Make a tenant with a good call in each of ten minutes, and our failure in two of them."""
    tenant = await book.tenant("acme", "enterprise", at(0, day=1))
    for minute in range(10):
        await book.calls(tenant, at(minute, 20))
    for minute in (3, 7):
        await book.calls(tenant, at(minute, 30), fault=Fault.PLATFORM)
    return tenant


async def opened(book: Book, title: str, service: Service, began: datetime) -> Incident:
    """Open an incident that began at a moment."""
    draft = Draft(title=title, severity=Severity.SEV2, services=[service], began_at=began)
    async with book.databases.app.tenant("platform") as tx:
        return await Incidents(tx, book.playbook, FixedClock(TOLD), "usr_1").open(draft)


async def resolved(book: Book, one: Incident, ended: datetime, said: datetime = TOLD) -> None:
    """Resolve it as of a moment, said at another."""
    end = Resolution(cause="A disk was full.", resolved_at=ended)
    async with book.databases.app.tenant("platform") as tx:
        await Incidents(tx, book.playbook, FixedClock(said), "usr_1").resolve(one.id, end)


async def stated(book: Book) -> Statement:
    """Number what was written, state the ten minutes, and hold the entries against it."""
    await book.number()
    statement = await book.objectives.statement("acme", TEN)
    assert first_difference(statement, await book.objectives.recount(statement)) is None
    return statement


def blamed(statement: Statement) -> list[list[str]]:
    """Return the titles of the incidents behind each outage."""
    return [[each.title for each in one.incidents or ()] for one in statement.unavailable]


@pytest.mark.usefixtures("acme")
async def test_each_outage_names_the_incidents_that_hurt_its_services_meanwhile(book: Book) -> None:
    assert blamed(await stated(book)) == [[], []]
    await opened(book, "Open", Service.API, at(3, 59))
    await resolved(book, await opened(book, "Short", Service.API, at(2)), at(3, 1))
    await resolved(book, await opened(book, "Before", Service.API, at(1)), at(3))
    await resolved(book, await opened(book, "Between", Service.API, at(4)), at(7))
    await opened(book, "Elsewhere", Service.TELEMETRY, at(0))
    await opened(book, "Afterwards", Service.API, at(10))
    statement = await stated(book)
    assert blamed(statement) == [["Short", "Open"], ["Open"]]
    assert [one.title for one in statement.incidents or ()] == [
        "Elsewhere", "Before", "Short", "Open", "Between",
    ]  # fmt: skip
    text = as_text(statement)
    assert "to now (open)   sev2: telemetry" in text
    assert text.count("Open\n") == 3
    assert "A disk was full." in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.usefixtures("acme")
async def test_what_is_said_after_a_statement_is_not_in_it(book: Book) -> None:
    one = await opened(book, "Slow", Service.API, at(2))
    now = book.clock.now()
    await resolved(book, one, at(25), said=now)
    async with book.databases.app.tenant("platform") as tx:
        late = Incidents(tx, book.playbook, FixedClock(now), "usr_1")
        await late.update(one.id, Change(began_at=at(20)), "*")
    assert blamed(await stated(book)) == [["Slow"], ["Slow"]]
    book.clock.move(timedelta(minutes=5))
    statement = await stated(book)
    assert (blamed(statement), statement.incidents) == ([[], []], ())


@pytest.mark.usefixtures("acme")
async def test_an_incident_that_no_entry_bears_out_is_found(book: Book) -> None:
    await opened(book, "Slow", Service.API, at(3))
    await book.number()
    admin = await asyncpg.connect(book.databases.migrate_url)
    try:
        await admin.execute("ALTER TABLE incident_act NO FORCE ROW LEVEL SECURITY")
        await admin.execute("UPDATE incident_act SET said = replace(said, 'Slow', 'Fast')")
    finally:
        await admin.close()
    flattered = await book.objectives.statement("acme", TEN)
    found = first_difference(flattered, await book.objectives.recount(flattered))
    assert found == ("unavailable.0.incidents.0.title", "Fast", "Slow")
