"""Credits: a month closes by itself and once, and what changes later is booked as a difference."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from tests.conftest import Databases
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.amendments import AmendmentDraft, Amendments
from ai_agent_mesh.operations.credits import (
    Closing,
    ClosingStore,
    CreditDiffers,
    Credits,
    MonthClosed,
    NothingJudged,
    NotOver,
    booked_in,
)
from ai_agent_mesh.plumbing.http import Page
from ai_agent_mesh.sla import Fault

NOVEMBER = Month(2026, 11)
DECEMBER = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)


@pytest.fixture
async def oak(book: Book) -> str:
    """Make an Enterprise tenant at 9,000 USD a month whose November lost 5 of 43,200 minutes."""
    tenant = await book.tenant("oak", "professional", at(-1, day=1, hour=0))
    await book.move(tenant, "enterprise", at(0, day=1, hour=0), Money(Decimal(9_000)))
    await fail(book, tenant, range(5))
    book.clock.move(DECEMBER - book.clock.now())
    return tenant


async def fail(book: Book, tenant: str, minutes: range) -> None:
    """Let one call fail in each of some minutes of the 5th."""
    for minute in minutes:
        await book.calls(tenant, at(minute, 30), fault=Fault.PLATFORM)
    await book.number()


def credits_of(book: Book) -> Credits:
    """Return who closes, at this book's clock."""
    databases = book.databases
    return Credits(databases.app, databases.operations, book.playbook, book.clock)


async def closings(databases: Databases, tenant: str) -> list[Closing]:
    """Return a tenant's closings as it reads them, oldest first."""
    async with databases.app.tenant(tenant) as tx:
        return list(await ClosingStore(tx).page(Page(100)))[::-1]


async def test_a_month_that_is_over_is_closed_by_itself_and_once(book: Book, oak: str) -> None:
    closer = credits_of(book)
    assert await closer.close_due(DECEMBER) == 1
    assert await closer.close_due(DECEMBER + timedelta(hours=1)) == 0
    (closing,) = await closings(book.databases, oak)
    assert (closing.month, closing.ordinal, closing.closed_by) == ("2026-11", 0, "platform")
    part = closing.parts[-1]
    assert (part.tier, part.availability_fraction, part.credit_percent) == (
        "enterprise", "8639/8640", "10",
    )  # fmt: skip
    assert booked_in([closing]) == {"USD": Decimal("900.00")}
    assert [(one.tenant, one.entries) for one in closing.ledger] == [(oak, 5), ("probe", 0)]


async def test_its_ledger_entry_says_what_was_booked_and_by_what(book: Book, oak: str) -> None:
    closing = (await credits_of(book).close(oak, NOVEMBER)).closing
    await book.number()
    async with book.databases.operations.transaction() as tx:
        raw = await tx.fetchval("SELECT bytes FROM ledger_entry WHERE id = $1", closing.entry)
    entry = msgspec.json.decode(raw)
    assert (entry["kind"], entry["tenant"], entry["object"]) == ("act", oak, closing.id)
    detail = entry["detail"]
    assert (detail["act"], detail["booked_USD"], detail["owed_USD"]) == (
        "credit.close", "900.00", "900/1",
    )  # fmt: skip
    assert detail["statement"] == closing.statement


async def test_many_that_close_at_once_book_once(book: Book, oak: str) -> None:
    done = await asyncio.gather(*(credits_of(book).close_due(DECEMBER) for _ in range(4)))
    assert sum(done) == 1
    found = await closings(book.databases, oak)
    assert booked_in(found) == {"USD": Decimal("900.00")}
    assert [one.ordinal for one in found] == [0]


async def test_what_changes_later_is_booked_as_the_difference(book: Book, oak: str) -> None:
    closer = credits_of(book)
    await closer.close_due(DECEMBER)
    await fail(book, oak, range(5, 60))  # 60 lost minutes: below 99.9%
    assert await closer.close_due(DECEMBER + timedelta(days=3)) == 1
    first, second = await closings(book.databases, oak)
    assert booked_in([first]) == {"USD": Decimal("900.00")}
    assert (second.ordinal, booked_in([second])) == (1, {"USD": Decimal("1350.00")})
    assert second.booked[0].owed == "2250/1"


async def test_a_persons_correction_takes_a_credit_back(book: Book, oak: str) -> None:
    closer = credits_of(book)
    await closer.close_due(DECEMBER)
    amendments = Amendments(book.databases.operations, book.playbook, book.clock)
    async with book.databases.operations.transaction() as tx:
        entry = await tx.fetchval("SELECT id FROM ledger_entry WHERE tenant_id = $1 LIMIT 1", oak)
    async with book.databases.app.tenant("platform") as tx:
        draft = AmendmentDraft(entry, Fault.CLIENT, "a test of the customer's own")
        await amendments.amend(tx, draft, "ada")
    await book.number()
    assert await closer.close_due(DECEMBER) == 1  # four lost minutes keep 99.99%
    first, second = await closings(book.databases, oak)
    assert booked_in([second]) == {"USD": Decimal("-900.00")}
    assert booked_in([first, second]) == {"USD": Decimal(0)}


async def test_corrections_that_leave_every_sum_as_it_was_are_noticed(book: Book, oak: str) -> None:
    """A failure becomes the customer's and a call of theirs becomes ours: five minutes, not six."""
    await book.calls(oak, at(0, 40), fault=Fault.CLIENT, latency_us=1_000)
    await book.number()
    closer = credits_of(book)
    await closer.close_due(DECEMBER)
    amendments = Amendments(book.databases.operations, book.playbook, book.clock)
    for moment, fault in ((at(4, 30), Fault.CLIENT), (at(0, 40), Fault.PLATFORM)):
        async with book.databases.operations.transaction() as tx:
            entry = await tx.fetchval("SELECT id FROM ledger_entry WHERE at = $1", moment)
        async with book.databases.app.tenant("platform") as tx:
            await amendments.amend(tx, AmendmentDraft(entry, fault, "they were swapped"), "ada")
    await book.number()
    assert await closer.close_due(DECEMBER) == 1  # minute 0 was lost before: four are left
    found = await closings(book.databases, oak)
    assert booked_in(found) == {"USD": Decimal(0)}
    assert await closer.close_due(DECEMBER) == 0


async def test_a_span_of_a_closed_month_is_not_booked_again(book: Book, oak: str) -> None:
    closer = credits_of(book)
    await closer.close_due(DECEMBER)
    with pytest.raises(MonthClosed, match="2026-11"):
        await closer.close(oak, Span(at(0), at(10)))


async def test_what_changes_after_the_time_for_corrections_is_left(book: Book, oak: str) -> None:
    closer = credits_of(book)
    await closer.close_due(DECEMBER)
    await fail(book, oak, range(5, 60))
    late = DECEMBER + book.playbook.measurement.corrected_within
    book.clock.move(late - book.clock.now())
    assert [one.month for one in await closings(book.databases, oak)] == ["2026-11"]
    await closer.close_due(late)
    months = [one.month for one in await closings(book.databases, oak)]
    assert months == ["2026-11", "2026-12", "2027-01", "2027-02"]


async def test_a_late_call_that_changes_no_credit_is_a_correction_that_books_nothing(
    book: Book, oak: str
) -> None:
    closer = credits_of(book)
    await closer.close_due(DECEMBER)
    await book.calls(oak, at(0, day=9))
    await book.number()
    assert await closer.close_due(DECEMBER) == 1
    assert [one.booked for one in await closings(book.databases, oak)][1:] == [()]


async def test_a_span_closed_before_counts_towards_its_month(book: Book, oak: str) -> None:
    closer = credits_of(book)
    span = (await closer.close(oak, Span(at(0), at(10)), "somebody")).closing
    assert (span.month, span.closed_by) == (None, "somebody")
    assert booked_in([span]) == {"USD": Decimal("1.04")}  # half of ten minutes' fee
    await closer.close_due(DECEMBER)
    assert booked_in(await closings(book.databases, oak)) == {"USD": Decimal("900.00")}


async def test_a_month_that_is_not_over_is_not_closed(book: Book, oak: str) -> None:
    book.clock.move(
        datetime(2026, 12, 1, 0, 0, 5, tzinfo=UTC) - book.clock.now()
    )  # its last minute is not settled
    assert await credits_of(book).close_due(book.clock.now()) == 0
    with pytest.raises(NotOver, match="2026-11 is not over"):
        await credits_of(book).close(oak, NOVEMBER)


async def test_a_booked_credit_is_held_against_the_entries(book: Book, oak: str) -> None:
    closer = credits_of(book)
    stated = await book.objectives.statement(oak, NOVEMBER)
    assert await closer.check(stated) == []
    done = await closer.close(oak, NOVEMBER)
    assert await closer.check(await book.objectives.recount(stated)) == [done.closing]
    await fail(book, oak, range(5, 60))
    changed = await book.objectives.recount(stated)
    with pytest.raises(
        CreditDiffers, match=r"900\.00 USD is booked for 2026-11 of oak, .* 2250\.00"
    ):
        await closer.check(changed)


async def test_a_span_before_the_tenant_began_is_not_closed(book: Book, oak: str) -> None:
    with pytest.raises(NothingJudged, match="2026-09"):
        await credits_of(book).close(oak, Month(2026, 9))
    with pytest.raises(NothingJudged):
        await credits_of(book).close(
            oak, Span(at(0, day=1, hour=0) - timedelta(days=2), at(-9, day=1, hour=0))
        )


async def test_a_tier_without_credits_is_not_closed(book: Book) -> None:
    tenant = await book.tenant("pine", "professional", at(0, day=1, hour=0))
    await fail(book, tenant, range(60))
    book.clock.move(DECEMBER - book.clock.now())
    assert await credits_of(book).close_due(DECEMBER) == 0


async def test_a_closing_can_be_neither_changed_nor_removed(book: Book, oak: str) -> None:
    await credits_of(book).close_due(DECEMBER)
    for sql in ("UPDATE sla_closing SET ordinal = 7", "DELETE FROM sla_closing"):
        with pytest.raises(Exception, match="permission denied"):
            async with book.databases.app.tenant(oak) as tx:
                await tx.execute(sql)
