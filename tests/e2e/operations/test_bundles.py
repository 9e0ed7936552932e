"""A statement's bundle proves it to a stranger, and whatever is changed in it is named."""

import base64
import gzip
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.e2e.operations.conftest import Book, at
from tests.e2e.operations.tampering import TAMPERED, Lines, changed, kind, text
from tests.house import base_install

from ai_agent_mesh.cli import proof
from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.incidents import Draft as NewIncident
from ai_agent_mesh.operations.incidents import Incidents, Resolution
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.objectives import Bundles, as_page
from ai_agent_mesh.operations.planned import Draft, Maintenance
from ai_agent_mesh.operations.statements import Stated, bundle, decoder, opened
from ai_agent_mesh.operations.statements.bundle import carried, signed_text
from ai_agent_mesh.operations.statements.verifying import verified
from ai_agent_mesh.playbook import Severity
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.sla import Fault, Service

TEN = at(10)


async def evidence(book: Book, signer: Signer, *, entries: int | None = None) -> Lines:
    """Return the bundle of a tenant with outages, a move between tiers, and silence."""
    tenant = await book.tenant("acme", "professional", at(0, -90))
    await book.move(tenant, "enterprise", at(5, 30), Money(Decimal(4_320)))
    await announce(book, at(0, day=1), Draft(title="In time", since=at(3), until=at(4)))
    late = Draft(title="Too late", since=at(8), until=at(9), services=[Service.API])
    await announce(book, at(7), late)
    await book.probe(at(0), 6)
    await book.probe(at(6), 2, without=(Service.TELEMETRY,))
    await book.probe(at(8), 2)
    await book.calls(tenant, at(2, 30), fault=Fault.PLATFORM)
    await book.calls(tenant, at(7, 20), fault=Fault.PLATFORM, times=3)
    await book.calls(tenant, at(8, 20), latency_us=100_000, times=5)
    await book.calls(tenant, at(9, 20), fault=Fault.UPSTREAM)
    await book.calls(tenant, at(9, 30), fault=Fault.CLIENT)
    await tell(book, "Gateways refuse", Service.API, at(2, 10), at(3))
    await tell(book, "The probe is blind", Service.TELEMETRY, at(6), at(7))
    await tell(book, "Runs start late", Service.ORCHESTRATION, at(0), None)
    await book.number()
    return await bundle_of(book, signer, entries=entries)


async def tell(
    book: Book, title: str, service: Service, began: datetime, ended: datetime | None
) -> str:
    """Open an incident, and resolve it where it ended; return its id."""
    draft = NewIncident(title=title, severity=Severity.SEV2, services=[service], began_at=began)
    async with book.databases.app.tenant("platform") as tx:
        incidents = Incidents(tx, book.playbook, FixedClock(at(9)), "ops")
        one = await incidents.open(draft)
        if ended:
            await incidents.resolve(
                one.id, Resolution(cause="A disk\nwas full.", resolved_at=ended)
            )
    return one.id


async def announce(book: Book, now: datetime, draft: Draft) -> Maintenance:
    """Announce maintenance at a moment, and have it numbered then."""
    async with book.databases.app.tenant("platform") as tx:
        calendar = MaintenanceCalendar(tx, book.playbook, FixedClock(now), "ops")
        made = await calendar.announce(draft)
    await book.number(now)
    return made


async def bundle_of(
    book: Book, signer: Signer, until: datetime = TEN, *, entries: int | None = None
) -> Lines:
    """Return the bundle of what is in the book, by the book's present playbook."""
    bundles = Bundles(book.databases.operations, book.playbook, book.clock, signer)
    return [line async for line in bundles.lines("acme", Span(at(0), until), entries=entries)]


async def test_a_bundle_proves_its_statement(book: Book, signer: Signer) -> None:
    lines = await evidence(book, signer)
    verdict = verified(lines)
    assert verdict.failures == []
    assert verdict.drawn_from == "entries"
    assert verdict.keys == [signer.key_id]
    assert verdict.statement is not None
    assert verdict.statement.minutes.unavailable == 3
    assert [p.tier for p in verdict.statement.parts] == ["professional", "enterprise"]
    works = verdict.statement.maintenance
    assert [(w.title, w.late, w.excluded_minutes) for w in works] == [
        ("In time", False, 1), ("Too late", True, 0),
    ]  # fmt: skip
    told = verdict.statement.incidents
    assert told
    assert [one.title for one in told] == [
        "Runs start late", "Gateways refuse", "The probe is blind",
    ]  # fmt: skip
    assert [
        (one.causes, [each.title for each in one.incidents or ()])
        for one in verdict.statement.unavailable
    ] == [
        (("errors",), ["Gateways refuse"]),
        (("silence",), ["The probe is blind"]),
        (("errors", "silence"), []),
    ]
    # The probe's first entries of each service, each alone, and then all of both tenants.
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds.count("head") == 2
    assert kinds[-1] == "end"
    assert verdict.entries > kinds.count("entry") - 5


async def test_a_base_install_verifies_bundle_and_page(
    book: Book, signer: Signer, tmp_path: Path
) -> None:
    lines = await evidence(book, signer)
    stated = decoder.decode(lines[0])
    assert isinstance(stated, Stated)
    bundled, page = tmp_path / "november.ndjson", tmp_path / "november.html"
    bundled.write_bytes(b"".join(lines))
    page.write_text(as_page(opened(stated), lines))
    done = base_install.mesh(("sla", "verify", str(bundled)), ("sla", "verify", str(page)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Every figure recomputed from") == 2


async def test_whatever_is_changed_is_named(book: Book, signer: Signer) -> None:
    lines = await evidence(book, signer)
    for name, (change, check, place) in TAMPERED.items():
        verdict = verified(change(lines))
        first = verdict.failures[0] if verdict.failures else None
        assert first, name
        assert (str(first.check), first.place[: len(place)]) == (check, place), (name, first)


@pytest.mark.parametrize("member", ["agreement", "incidents", "projected"])
async def test_a_statement_signed_before_there_was_such_a_member_still_holds(
    book: Book, signer: Signer, member: str
) -> None:
    lines = await evidence(book, signer)
    told = json.loads(json.loads(lines[0])["text"])
    del told[member]
    for outage in told["unavailable"] if member == "incidents" else ():
        del outage["incidents"]
    older = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    sign = base64.b64encode(signer.sign(signed_text(older.encode()))).decode()
    again = changed(lines, kind("statement"), lambda one: one.update(text=older, signature=sign))
    assert verified(again).failures == []


def test_what_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(b'{"type":"statement"' + b" " * 100_000)
    page = b'<script type="application/octet-stream" id="evidence">%b</script>'
    page %= base64.b64encode(packed)
    assert len(carried(page)) == 1
    monkeypatch.setattr(bundle, "LARGEST", 99_999)
    assert carried(page) == []
    monkeypatch.setattr(proof, "LONGEST_LINE", 1_000)
    (tmp_path / "long.ndjson").write_bytes(packed)
    found = proof.verify_file(tmp_path / "long.ndjson", (), lambda _: None).failures
    assert [(str(one.check), one.place) for one in found] == [("file", "line 1")]


async def test_only_a_trusted_key_counts(book: Book, signer: Signer, tmp_path: Path) -> None:
    lines = await evidence(book, signer)
    stranger = Signer.load_or_create(tmp_path / "other.key")
    assert verified(lines, pinned=[signer.public_bytes]).sound
    verdict = verified(lines, pinned=[stranger.public_bytes])
    assert {str(one.check) for one in verdict.failures} == {"signature"}


async def test_signed_roll_ups_bear_a_statement_where_entries_are_too_many(
    book: Book, signer: Signer
) -> None:
    lines = await evidence(book, signer, entries=10)
    verdict = verified(lines)
    assert (verdict.failures, verdict.drawn_from) == ([], "minutes")
    worse = changed(lines, kind("statement"), text('"unavailable":3', '"unavailable":2'))
    assert verified(worse).failures[0].place == "minutes.unavailable"
    worse = changed(lines, kind("minutes"), lambda m: m["counts"][0].__setitem__(1, 9))
    assert [str(one.check) for one in verified(worse).failures][:1] == ["roll-up"]
