"""An export proves itself, and every kind of tampering is named with its place."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ai_agent_mesh.evidence import audited
from ai_agent_mesh.evidence.batch import NO_STATEMENT
from ai_agent_mesh.evidence.exchange import End, Header, Key, Line, Piece
from ai_agent_mesh.evidence.tree import Paths, leaf_data, leaf_hash, root
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.ledger import Batch, Check, Entry, Kind

AT = datetime(2026, 11, 23, 6, 25, tzinfo=UTC)
SIGNER = Signer(Ed25519PrivateKey.generate())
Content = dict[str, object]
Tamper = Callable[[list[Content]], object]


def lines(batch: int, seqs: range, previous: bytes) -> tuple[Batch, list[Line]]:
    entries = []
    for seq in seqs:
        tenant, number = ("tnt_a", "tnt_b")[seq % 2], (seq + 1) // 2
        entry = Entry(id=f"ent_{seq:026d}", kind=Kind.ACT, tenant=tenant, at=AT)
        digest = sha256(entry.canonical).digest()
        entries.append(Line(seq, number, digest, entry.canonical.decode()))
    made = Batch(
        batch=batch,
        first_seq=seqs[0],
        last_seq=seqs[-1],
        root=root(leaf_hash(leaf_data(e.seq, e.number, e.digest)) for e in entries),
        previous=previous,
        playbook="0" * 64,
        at=AT + timedelta(seconds=batch),
        key_id=SIGNER.key_id,
    )
    return msgspec.structs.replace(made, signature=SIGNER.sign(made.statement)), entries


def ledger() -> list[Piece]:
    one, first = lines(1, range(1, 6), NO_STATEMENT)
    two, second = lines(2, range(6, 9), one.link)
    three, third = lines(3, range(9, 10), two.link)
    return [
        Header(None, None, None), Key(SIGNER.key_id, SIGNER.public_bytes),
        one, *first, two, *second, three, *third, End(3, 9),
    ]  # fmt: skip


def of_tenant_a() -> list[Piece]:
    pieces: list[Piece] = [Header("tnt_a", None, None), Key(SIGNER.key_id, SIGNER.public_bytes)]
    previous, count = NO_STATEMENT, 0
    for number, seqs in enumerate((range(1, 6), range(6, 9)), 1):
        batch, entries = lines(number, seqs, previous)
        previous = batch.link
        hashes = [leaf_hash(leaf_data(e.seq, e.number, e.digest)) for e in entries]
        pieces.append(batch)
        for index, entry in enumerate(entries):
            if "tnt_a" in entry.text:
                path = Paths(hashes).to(index)
                pieces.append(msgspec.structs.replace(entry, path=path))
                count += 1
    return [*pieces, End(2, count)]


def written(pieces: list[Piece], tamper: Tamper = lambda _lines: None) -> list[bytes]:
    content = [json.loads(msgspec.json.encode(piece)) for piece in pieces]
    tamper(content)
    return [json.dumps(line).encode() for line in content]


def of(content: list[Content], kind: str) -> list[Content]:
    return [line for line in content if line["type"] == kind]


def test_an_untouched_export_is_sound() -> None:
    report = audited(written(ledger()), pinned=[SIGNER.public_bytes])
    assert report.sound, report.failures
    assert (report.batches, report.entries) == (3, 9)
    assert report.tenants == {"tnt_a": 4, "tnt_b": 5}


def test_one_tenant_s_export_is_sound_without_the_others_bytes() -> None:
    content = written(of_tenant_a())
    assert not any(b"tnt_b" in line for line in content)
    assert audited(content).sound


def change_byte(content: list[Content]) -> None:
    line = of(content, "entry")[3]
    line["text"] = str(line["text"]).replace("tnt_", "tnx_")


def change_byte_and_hash(content: list[Content]) -> None:
    line = of(content, "entry")[3]
    line["text"] = str(line["text"]).replace('"act"', '"notice"')
    line["digest"] = base64.b64encode(sha256(str(line["text"]).encode()).digest()).decode()


def swap_numbers(content: list[Content]) -> None:
    one, other = of(content, "entry")[0], of(content, "entry")[2]
    one["number"], other["number"] = other["number"], one["number"]


def swap_places(content: list[Content]) -> None:
    one, other = of(content, "entry")[1], of(content, "entry")[2]
    at, there = content.index(one), content.index(other)
    content[at], content[there] = other, one


def change_time(content: list[Content]) -> None:
    of(content, "batch")[1]["at"] = "2026-01-01T00:00:00Z"


def break_chain(content: list[Content]) -> None:
    of(content, "batch")[1]["previous"] = base64.b64encode(bytes(32)).decode()


def remove(kind: str, index: int) -> Tamper:
    return lambda content: content.remove(of(content, kind)[index])


@pytest.mark.parametrize(
    ("tamper", "check", "place"),
    [
        (change_byte, Check.BYTES, "seq 4"),
        (change_byte_and_hash, Check.ROOT, "batch 1"),
        (swap_numbers, Check.NUMBERING, "seq 1"),
        (swap_places, Check.SEQUENCE, "seq 2"),
        (change_time, Check.SIGNATURE, "batch 2"),
        (break_chain, Check.CHAIN, "batch 2"),
        (remove("entry", 3), Check.SEQUENCE, "seq 4"),
        (remove("entry", 4), Check.SEQUENCE, "seq 5"),
        (remove("entry", 8), Check.SEQUENCE, "seq 9"),
        (remove("batch", 0), Check.SEQUENCE, "seq 1"),
        (remove("batch", 1), Check.SEQUENCE, "seq 6"),
        (remove("key", 0), Check.SIGNATURE, "batch 1"),
        (remove("end", 0), Check.FILE, "end"),
        (remove("ledger", 0), Check.FILE, "line 1"),
    ],
)
def test_tampering_is_named_with_its_place(tamper: Tamper, check: Check, place: str) -> None:
    report = audited(written(ledger(), tamper))
    assert (check, place) in {(one.check, one.place) for one in report.failures}


@pytest.mark.parametrize(
    ("tamper", "check", "place"),
    [
        (change_byte, Check.BYTES, "seq 8"),
        (change_byte_and_hash, Check.ROOT, "seq 8"),
        (remove("entry", 1), Check.NUMBERING, "seq 6"),
        (remove("entry", 3), Check.FILE, "line 8"),
        (change_time, Check.SIGNATURE, "batch 2"),
    ],
)
def test_tampering_with_one_tenant_s_export_is_named(
    tamper: Tamper, check: Check, place: str
) -> None:
    report = audited(written(of_tenant_a(), tamper))
    assert (check, place) in {(one.check, one.place) for one in report.failures}


def test_a_ledger_signed_by_another_key_does_not_pass_for_ours() -> None:
    other = Signer(Ed25519PrivateKey.generate())
    assert audited(written(ledger()), pinned=[SIGNER.public_bytes]).sound
    report = audited(written(ledger()), pinned=[other.public_bytes])
    assert [one.check for one in report.failures] == [Check.SIGNATURE]
    assert report.failures[0].times == 3


def test_a_line_that_cannot_be_read_is_named() -> None:
    content = written(ledger())
    content[5] = content[5][:40]
    assert any(one.place == "line 6" for one in audited(content).failures)


def test_an_empty_file_is_not_sound() -> None:
    assert not audited([]).sound


def test_an_empty_ledger_is_sound() -> None:
    assert audited(written([Header(None, None, None), End(0, 0)])).sound


def test_a_statement_reads_as_the_documentation_says() -> None:
    batch, _ = lines(1, range(1, 6), NO_STATEMENT)
    assert batch.statement.decode().splitlines() == [
        "ai-agent-mesh ledger batch v1",
        "1",
        "1 5",
        base64.b64encode(batch.root).decode(),
        base64.b64encode(bytes(32)).decode(),
        "0" * 64,
        "2026-11-23T06:25:01.000000Z",
        SIGNER.key_id,
    ]
