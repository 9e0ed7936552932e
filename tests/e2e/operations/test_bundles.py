"""A statement's bundle proves it to a stranger, and whatever is changed in it is named."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.maintenance import Draft, MaintenanceCalendar
from ai_agent_mesh.operations.objectives import Bundles
from ai_agent_mesh.operations.statements.verifying import verified
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.sla import Fault, Service

Piece = dict[str, Any]
Lines = list[bytes]
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
    await book.number()
    return await bundle_of(book, signer, entries=entries)


async def announce(book: Book, now: datetime, draft: Draft) -> None:
    """Announce maintenance at a moment."""
    async with book.databases.app.tenant("platform") as tx:
        await MaintenanceCalendar(tx, book.playbook, FixedClock(now), "ops").announce(draft)


async def bundle_of(
    book: Book, signer: Signer, until: datetime = TEN, *, entries: int | None = None
) -> Lines:
    """Return the bundle of what is in the book, by the book's present playbook."""
    bundles = Bundles(book.databases.operations, book.playbook, book.clock, signer)
    return [line async for line in bundles.lines("acme", Span(at(0), until), entries=entries)]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Return the key that the book is signed with."""
    return Signer.load_or_create(tmp_path / "ledger.key")


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
    # The probe's first entries of each service, each alone, and then all of both tenants.
    kinds = [json.loads(line)["type"] for line in lines]
    assert kinds.count("head") == 2
    assert kinds[-1] == "end"
    assert verdict.entries > kinds.count("entry") - 5


def entry(number: int) -> Callable[[Piece], bool]:
    """Choose the entry with a sequence number of the second section on."""
    return lambda piece: piece["type"] == "entry" and piece["seq"] == number


def kind(name: str) -> Callable[[Piece], bool]:
    """Choose lines of a type."""
    return lambda piece: piece["type"] == name


def changed(
    lines: Lines, chosen: Callable[[Piece], bool], change: Callable[[Piece], object]
) -> Lines:
    """Change the last line that is chosen."""
    pieces = [json.loads(line) for line in lines]
    last = max(at for at, piece in enumerate(pieces) if chosen(piece))
    change(pieces[last])
    made = json.dumps(pieces[last], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return [*lines[:last], made.encode() + b"\n", *lines[last + 1 :]]


def without(lines: Lines, chosen: Callable[[Piece], bool]) -> Lines:
    """Leave the last line out that is chosen, and let the end not tell."""
    pieces = [json.loads(line) for line in lines]
    last = max(at for at, piece in enumerate(pieces) if chosen(piece))
    kept = [*lines[:last], *lines[last + 1 :]]
    name = {"entry": "entries", "batch": "batches"}.get(pieces[last]["type"])
    return changed(kept, kind("end"), lambda e: name and e.update({name: e[name] - 1}))


def text(find: str, put: str) -> Callable[[Piece], None]:
    """Replace a piece of text within a line's own text, once."""

    def change(piece: Piece) -> None:
        assert find in piece["text"], find
        piece["text"] = piece["text"].replace(find, put, 1)

    return change


def flip(name: str) -> Callable[[Piece], None]:
    """Change the first byte of a base64 value."""

    def change(piece: Piece) -> None:
        value = bytearray(base64.b64decode(piece[name]))
        value[0] ^= 1
        piece[name] = base64.b64encode(value).decode()

    return change


#: What is done, which check fails first, and where.
TAMPERED: dict[str, tuple[Callable[[Lines], Lines], str, str]] = {
    "a byte of an entry": (
        lambda x: changed(x, entry(20), text('"status":200', '"status":201')), "bytes", "seq 20",
    ),
    "an entry and its digest": (
        lambda x: changed(
            changed(x, entry(20), text('"status":200', '"status":201')), entry(20), redigested
        ),
        "root", "seq 20",
    ),
    "an entry's number": (
        lambda x: changed(x, entry(20), lambda e: e.update(number=e["number"] + 1)),
        "root", "seq 20",
    ),
    "an entry is missing": (lambda x: without(x, entry(20)), "numbering", "seq 21"),
    "the last entry is missing": (lambda x: without(x, kind("entry")), "head", "head of probe"),
    "a batch is missing": (lambda x: without(x, kind("batch")), "sequence", "seq 2"),
    "a batch's signature": (
        lambda x: changed(x, kind("batch"), flip("signature")), "signature", "batch 1",
    ),
    "a batch's root": (lambda x: changed(x, kind("batch"), flip("root")), "signature", "batch 1"),
    "a head's signature": (
        lambda x: changed(x, kind("head"), flip("signature")), "signature", "head of probe",
    ),
    "a head's root": (lambda x: changed(x, kind("head"), flip("root")), "head", "head of probe"),
    "a head is missing": (lambda x: without(x, kind("head")), "sequence", "seq 2"),
    "a roll-up": (
        lambda x: changed(x, kind("minutes"), lambda m: m["counts"][0].__setitem__(1, 9)),
        "roll-up", "minutes of probe",
    ),
    "a seal is missing": (lambda x: without(x, kind("seal")), "roll-up", "minutes of probe"),
    "a figure": (
        lambda x: changed(x, kind("statement"), text('"unavailable":3', '"unavailable":2')),
        "figure", "minutes.unavailable",
    ),
    "a credit": (
        lambda x: changed(x, kind("statement"), text('"amount":"0.20"', '"amount":"0.10"')),
        "figure", "credit.0.amount",
    ),
    "a name that no entry proves": (
        lambda x: changed(x, kind("statement"), text('"acme"', '"acne"')),
        "signature", "statement",
    ),
    "the statement's signature": (
        lambda x: changed(x, kind("statement"), flip("signature")), "signature", "statement",
    ),
    "a promise of the playbook": (
        lambda x: changed(x, kind("playbook"), text('"uptime":"99.99%"', '"uptime":"99.9%"')),
        "playbook", "",
    ),
    "the playbook is missing": (lambda x: without(x, kind("playbook")), "playbook", ""),
    "the key is another's": (
        lambda x: changed(x, kind("key"), flip("public")), "signature", "minutes of",
    ),
    "the end is missing": (lambda x: x[:-1], "file", "end"),
    "a line is no JSON": (lambda x: [x[0], b"{\n", *x[1:]], "file", "line 2"),
    "it is no bundle": (lambda x: x[1:], "file", "line 1"),
    "it is empty": (lambda _: [], "file", "line 1"),
}  # fmt: skip


def redigested(piece: Piece) -> None:
    """Let an entry's digest be that of its bytes."""
    digest = sha256(piece["text"].encode()).digest()
    piece["digest"] = base64.b64encode(digest).decode()


async def test_whatever_is_changed_is_named(book: Book, signer: Signer) -> None:
    lines = await evidence(book, signer)
    for name, (change, check, place) in TAMPERED.items():
        verdict = verified(change(lines))
        first = verdict.failures[0] if verdict.failures else None
        assert first, name
        assert (str(first.check), first.place[: len(place)]) == (check, place), (name, first)


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
