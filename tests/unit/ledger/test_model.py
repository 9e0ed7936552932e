"""Entries keep their bytes, and receipts name them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.product.ledger import Entry, EntryUnreadable, Kind, MalformedReceipt, Receipt
from ai_agent_mesh.sla import Category, Fault, Service

AT = datetime(2026, 11, 23, 6, 25, 0, 123456, tzinfo=UTC)
ID = "ent_01k0000000000000000000000a"

encodable = st.characters(codec="utf-8")
texts = st.none() | st.text(encodable, max_size=40)

entries = st.builds(
    Entry,
    id=st.just(ID),
    kind=st.sampled_from(Kind),
    tenant=st.text("abcdefghijkmnp0123456789_", min_size=1, max_size=30),
    at=st.datetimes(timezones=st.just(UTC)),
    service=st.sampled_from(Service),
    category=st.sampled_from(Category),
    route=texts,
    path=texts,
    status=st.none() | st.integers(100, 599),
    fault=st.sampled_from(Fault),
    duration_us=st.integers(0, 2**53),
    latency_us=st.integers(0, 2**53),
    actor=texts,
    client=texts,
    detail=st.dictionaries(st.text(encodable), st.text("aé\x00")),
    late=st.booleans(),
)


@given(entries)
def test_bytes_read_back_give_the_same_entry_and_the_same_bytes(entry: Entry) -> None:
    again = Entry.decode(entry.canonical)
    assert again == entry
    assert again.canonical == entry.canonical


@given(entries)
def test_bytes_are_json_with_sorted_keys_and_no_white_space(entry: Entry) -> None:
    content = json.loads(entry.canonical)
    rewritten = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert json.loads(rewritten) == content
    assert list(content) == sorted(content)
    assert content["v"] == 1


def test_the_bytes_of_a_known_entry_never_change() -> None:
    entry = Entry(
        id=ID,
        kind=Kind.CALL,
        tenant="tnt_a",
        at=AT,
        service=Service.API,
        category=Category.AGENT_CRUD,
        status=200,
        latency_us=1200,
        detail={"b": "2", "a": "1"},
    )
    assert entry.canonical == (
        b'{"at":"2026-11-23T06:25:00.123456Z","category":"agent_crud","detail":{"a":"1","b":"2"},'
        b'"id":"ent_01k0000000000000000000000a","kind":"call","latency_us":1200,"service":"api",'
        b'"status":200,"tenant":"tnt_a","v":1}'
    )


@pytest.mark.parametrize(
    "at", [AT.replace(tzinfo=None), AT.astimezone(timezone(timedelta(hours=1)))]
)
def test_a_moment_that_is_not_utc_is_refused(at: datetime) -> None:
    with pytest.raises(ValueError, match="UTC"):
        Entry(id=ID, kind=Kind.ACT, tenant="t", at=at)


def test_a_call_without_a_service_is_refused() -> None:
    with pytest.raises(ValueError, match="service"):
        Entry(id=ID, kind=Kind.CALL, tenant="t", at=AT)


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"v":2}', b"\xff", b'{"v":1,"id":"x","kind":"call","tenant":"t"}']
)
def test_bytes_that_are_no_entry_are_named_unreadable(raw: bytes) -> None:
    with pytest.raises(EntryUnreadable):
        Entry.decode(raw)


def test_a_receipt_is_the_id_and_the_hash_of_the_bytes() -> None:
    receipt = Receipt.of(ID, b"")
    assert receipt.digest == sha256(b"").digest()
    assert receipt.header == f"{ID}; sha-256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert Receipt.parse(receipt.header) == receipt


@pytest.mark.parametrize("text", ["", ID, f"{ID}; sha-256=short", "ent_x; sha-256=" + "A" * 43])
def test_a_receipt_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(MalformedReceipt):
        Receipt.parse(text)
