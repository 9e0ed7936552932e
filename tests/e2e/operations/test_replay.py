"""An exported ledger, read offline, gives the figures that the platform states itself."""

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import UNSET, structs
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.amendments import AlreadySo, AmendmentDraft, Amendments
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.objectives import Objectives
from ai_agent_mesh.operations.planned import Draft
from ai_agent_mesh.operations.replay import (
    Answer,
    Asked,
    Files,
    Form,
    Replay,
    answers,
    changed,
    priced,
    under,
    whatif_lines,
)
from ai_agent_mesh.operations.statements import Statement
from ai_agent_mesh.playbook import default
from ai_agent_mesh.product.ledger import export
from ai_agent_mesh.sla import Fault, Method, Service

SPAN = Span(at(0), at(10))
FIGURES = ("minutes", "availability", "availability_fraction", "met", "error_budget", "services",
           "unavailable", "latency", "calls", "credit_percent", "method", "objective")  # fmt: skip


@pytest.fixture
async def tenant(book: Book) -> str:
    """Return the tenant of the ten minutes."""
    return await ten_minutes(book)


async def ten_minutes(book: Book) -> str:
    """Ten minutes with failures, silence, all kinds of faults, and a stranger's trouble."""
    tenant = await book.tenant("acme", "enterprise", at(0, -30))
    await book.probe(at(-2), 7)
    await book.probe(at(5), 3, without=(Service.TELEMETRY,))
    await book.probe(at(8), 4)
    await book.calls(tenant, at(1, 20), times=18)
    for fault in Fault:
        await book.calls(tenant, at(1, 59.999), times=2, fault=fault, latency_us=100_000)
        await book.calls(tenant, at(4), fault=fault, latency_us=99_999)
    await book.calls(tenant, at(10), fault=Fault.PLATFORM)
    other = await book.tenant("other", "free", at(0))
    await book.calls(other, at(3), times=5, fault=Fault.PLATFORM)
    await book.number()
    return tenant


async def planned(book: Book) -> None:
    """Plan work: in time, too late, called off, about one service alone, and of another day."""
    early, late = FixedClock(at(0, day=1)), FixedClock(at(0))
    drafts = (
        (early, Draft(title="In time", since=at(1), until=at(2))),
        (early, Draft(title="Of one service", since=at(6), until=at(7), services=[Service.API])),
        (early, Draft(title="Called off", since=at(4), until=at(5))),
        (late, Draft(title="Too late", since=at(5), until=at(6))),
        (early, Draft(title="Of another day", since=at(1, day=9), until=at(2, day=9))),
    )
    async with book.databases.app.tenant("platform") as tx:
        for clock, draft in sorted(drafts, key=lambda one: one[0].now()):
            calendar = MaintenanceCalendar(tx, book.playbook, clock, "ops")
            work = await calendar.announce(draft)
            if draft.title == "Called off":
                await calendar.cancel(work.id)
    await book.number()


async def exported(book: Book, folder: Path) -> Path:
    file = folder / "ledger.ndjson"
    with file.open("wb") as out:
        async for line in export(book.databases.operations):
            out.write(line)
    return file


def agree(answer: Answer, stated: Statement) -> None:
    """Hold each figure of one against the other's; incidents are not judged from files."""
    spans = tuple(structs.replace(span, incidents=UNSET) for span in stated.unavailable)
    told = structs.replace(stated, unavailable=spans)
    for name in FIGURES:
        assert getattr(answer, name) == getattr(told, name), name


@pytest.mark.parametrize("method", Method)
async def test_the_export_and_the_platform_agree(
    book: Book, method: Method, tmp_path: Path
) -> None:
    playbook = under(default(), "enterprise", method, None)
    book.under(playbook)
    tenant = await ten_minutes(book)
    await planned(book)
    stated = await book.objectives.statement("acme", SPAN)
    files = Files([str(await exported(book, tmp_path))], Form.RECORDS)
    with Replay(files, Asked(SPAN, tenant), default()) as replay:
        evidence, reading = replay.evidence(), replay.reading()
    (answer,) = answers(evidence, reading, Month(2026, 11), tenant, "enterprise", [playbook])
    agree(answer, stated)
    assert stated.availability not in {"100%", "0%"}
    # Who was told of it is not judged from files.
    assert answer.maintenance == tuple(
        structs.replace(work, notices=UNSET) for work in stated.maintenance
    )
    assert [work.title for work in answer.maintenance if work.excluded_minutes] == [
        "In time", "Of one service",
    ]  # fmt: skip
    assert len(answer.maintenance) == 4
    assert dict(answer.ignored) == {
        "not a call": 6, "of another tenant": 5, "outside the judged span": 17,
    }  # fmt: skip


async def test_a_correction_is_followed(book: Book, tenant: str, tmp_path: Path) -> None:
    sql = "SELECT id FROM ledger_entry WHERE tenant_id = $1 AND at = $2"
    async with book.databases.operations.transaction() as tx:
        rows = await tx.fetch(sql, tenant, at(1, 59.999))
    for row in rows:  # whatever they were, they end as the upstream's, some by way of the caller's
        for fault in (Fault.CLIENT, Fault.UPSTREAM):
            draft = AmendmentDraft(row["id"], fault, "their proxy was down")
            amendments = Amendments(book.databases.operations, book.playbook, book.clock)
            async with book.databases.app.tenant("platform") as tx:
                with suppress(AlreadySo):
                    await amendments.amend(tx, draft, "ada")
            await book.number()
    stated = await book.objectives.statement("acme", SPAN)
    files = Files([str(await exported(book, tmp_path))], Form.RECORDS)
    with Replay(files, Asked(SPAN, tenant), default()) as replay:
        evidence, reading = replay.evidence(), replay.reading()
    (answer,) = answers(evidence, reading, Month(2026, 11), tenant, "enterprise", [default()])
    agree(answer, stated)
    assert at(1) not in {span.since for span in answer.unavailable}


@pytest.mark.usefixtures("tenant")
async def test_an_export_that_is_cut_short_is_refused(book: Book, tmp_path: Path) -> None:
    file = await exported(book, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-3]))
    with (
        pytest.raises(Invalid, match="cut short"),
        Replay(Files([str(file)], Form.RECORDS), Asked(SPAN), default()),
    ):
        pass


async def test_a_change_is_priced_against_what_the_platform_saw(book: Book, tenant: str) -> None:
    await book.move(tenant, "enterprise", at(0, -20), Money(Decimal(1_000), "CHF"))
    measured = structs.replace(default().measurement, consecutive=2)
    milder = structs.replace(default(), measurement=measured)
    before, after = [
        await judge.statement("acme", SPAN)
        for judge in (
            book.objectives,
            Objectives(book.databases.operations, milder, book.clock, supposed=True),
        )
    ]
    one = priced("2026-11", "acme", before, after)
    # Minutes 1 and 4 failed alone; the probe's silence of three minutes stays.
    assert [(t.since, t.minutes, t.becomes) for t in one.minutes_turned] == [
        (at(1), 1, "available"), (at(4), 1, "available"),
    ]  # fmt: skip
    whole = changed(default(), milder, [one])
    assert [(key.key, key.before, key.after) for key in whole.keys] == [
        ("measurement.consecutive", 1, 2)
    ]
    assert one.before.credit_percent == one.after.credit_percent == "50"
    assert whole.credit_before == before.credit
    assert [part.exact for part in whole.difference] == ["0/1"]
    told = whatif_lines(whole)
    assert "2026-11-05 10:01 UTC  1 min become available" in told
    assert "CHF → " in told
    assert "Nobody had begun" in whatif_lines(changed(default(), milder, []))
