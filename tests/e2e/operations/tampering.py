"""Ways to tamper with an evidence bundle, and which check finds each first, and where."""

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from tests.e2e.operations.conftest import at

Piece = dict[str, Any]
Lines = list[bytes]


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
    "a batch is missing": (lambda x: without(x, kind("batch")), "sequence", "seq 3"),
    "a batch's signature": (
        lambda x: changed(x, kind("batch"), flip("signature")), "signature", "batch 3",
    ),
    "a batch's root": (lambda x: changed(x, kind("batch"), flip("root")), "signature", "batch 3"),
    "a head's signature": (
        lambda x: changed(x, kind("head"), flip("signature")), "signature", "head of probe",
    ),
    "a head's root": (lambda x: changed(x, kind("head"), flip("root")), "head", "head of probe"),
    "a head is missing": (lambda x: without(x, kind("head")), "sequence", "seq 3"),
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
    "another agreement": (
        lambda x: changed(x, kind("statement"), text('"company":"', '"company":"Not ')),
        "figure", "agreement.company",
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
        lambda x: changed(x, kind("key"), flip("public")), "signature", "key ",
    ),
    "the key is named as another": (
        lambda x: [one.replace(named(x), b"00112233aabbccdd") for one in x], "signature", "key ",
    ),
    "minutes after the last seal": (
        lambda x: [*x[:-1], stray(x, "probe"), x[-1]], "roll-up", "minutes of probe",
    ),
    "minutes of a tenant that is not meant": (
        lambda x: changed_first(x, kind("minutes"), lambda at: [stray(x, "acne"), x[at]]),
        "roll-up", "minutes of acne",
    ),
    "minutes under another's seal": (
        lambda x: changed(x, kind("minutes"), lambda m: m.update(tenant="acne")),
        "roll-up", "minutes of probe",
    ),
    "a seal is there twice": (
        lambda x: changed_first(x, kind("seal"), lambda at: [x[at], x[at]]),
        "roll-up", "minutes of tnt_",
    ),
    "minutes of no zone": (
        lambda x: changed(x, kind("minutes"), lambda m: m.update(since="2026-11-02T00:00:00")),
        "file", "line ",
    ),
    "minutes of a service that nobody knows": (
        lambda x: changed(x, kind("minutes"), lambda m: m.update(service="weather")),
        "file", "line ",
    ),
    "more calls than can be counted": (
        lambda x: changed(x, kind("minutes"), lambda m: m["counts"][0].__setitem__(1, 2**63)),
        "file", "line ",
    ),
    "fewer calls than none": (
        lambda x: changed(x, kind("minutes"), lambda m: m["counts"][0].__setitem__(1, -1)),
        "file", "line ",
    ),
    "a minute beyond its hour": (
        lambda x: changed(x, kind("minutes"), lambda m: m["counts"][0].__setitem__(0, 60)),
        "file", "line ",
    ),
    "a statement of no zone": (
        lambda x: changed(x, kind("statement"), saying(asked_since="2026-11-02T00:00:00")),
        "file", "line 1",
    ),
    "a part outside the span": (
        lambda x: changed(x, kind("statement"), saying(since=at(9).isoformat())),
        "file", "line 1",
    ),
    "a fee of endless digits": (
        lambda x: changed(
            x, kind("statement"), text('_fees":[{"amount":"', '_fees":[{"amount":"1E+')
        ),
        "file", "line 1",
    ),
    "an incident is said otherwise": (
        lambda x: changed(
            x, kind("statement"), text('"sev2","title":"Gateways', '"sev2","title":"Doors')
        ),
        "figure", "unavailable.0.incidents.0.title",
    ),
    "an incident is taken from its outage": (
        lambda x: changed(x, kind("statement"), unlinked), "figure", "unavailable.0.incidents",
    ),
    "an incident is put to another outage": (
        lambda x: changed(
            x, kind("statement"), text('"resolved_at":"2026-11-05T10:07:00Z"', '"resolved_at":null')
        ),
        "figure", "unavailable.2.incidents",
    ),
    "an incident of no zone": (
        lambda x: changed(
            x, kind("statement"), text('"began_at":"2026-11-05T10:00:00Z"', '"began_at":"2026"')
        ),
        "file", "line 1",
    ),
    "an incident without an end or a null": (
        lambda x: changed(x, kind("statement"), text('"resolved_at":null,', "")), "file", "line 1",
    ),
    "an incident with a figure that nobody knows": (
        lambda x: changed(x, kind("statement"), text('"began_at"', '"a_bonus":1,"began_at"')),
        "figure", "incidents.0.a_bonus",
    ),
    "a figure that nobody knows": (
        lambda x: changed(x, kind("statement"), text('{"agreement"', '{"a_bonus":1,"agreement"')),
        "figure", "a_bonus",
    ),
    "a number beyond all numbers": (
        lambda x: changed(x, kind("head"), lambda h: h.update(entries=2**64)), "file", "line ",
    ),
    "an entry before the first": (
        lambda x: changed(x, entry(20), lambda e: e.update(seq=-1)), "file", "line ",
    ),
    "a head of no zone": (
        lambda x: changed(x, kind("head"), lambda h: h.update(at="2026-11-02T00:00:00")),
        "file", "line ",
    ),
    "a head of another tenant": (
        lambda x: changed(x, kind("head"), lambda h: h.update(tenant="acne")),
        "head", "head of acne",
    ),
    "a batch of no moment": (
        lambda x: changed(x, kind("batch"), lambda b: b.update(at="soon")), "file", "line ",
    ),
    "a digest that is no base64": (
        lambda x: changed(x, kind("seal"), lambda s: s.update(digest="!")), "file", "line ",
    ),
    "a value is missing": (
        lambda x: changed(x, kind("seal"), lambda s: s.pop("since")), "file", "line ",
    ),
    "a line is null": (lambda x: [x[0], b"null\n", *x[1:]], "file", "line 2"),
    "a line is a list": (lambda x: [x[0], b"[1]\n", *x[1:]], "file", "line 2"),
    "a line is nested without end": (
        lambda x: [x[0], b"[" * 100_000 + b"\n", *x[1:]], "file", "line 2",
    ),
    "a line is empty": (lambda x: [x[0], b"\n", *x[1:]], "file", "line 2"),
    "the statement is null": (lambda x: [b"null\n", *x[1:]], "file", "line 1"),
    "the end is missing": (lambda x: x[:-1], "file", "end"),
    "a line is no JSON": (lambda x: [x[0], b"{\n", *x[1:]], "file", "line 2"),
    "it is no bundle": (lambda x: x[1:], "file", "line 1"),
    "it is empty": (lambda _: [], "file", "line 1"),
}  # fmt: skip


def named(lines: Lines) -> bytes:
    """Return the name of the key that signed."""
    name: str = json.loads(lines[0])["key_id"]
    return name.encode()


def stray(lines: Lines, tenant: str) -> bytes:
    """Return a line of minutes in which a service fails, as if a tenant's."""
    since = json.loads(json.loads(lines[0])["text"])["since"]
    told = {"type": "minutes", "tenant": tenant, "service": "api", "category": "other"}
    return (
        json.dumps({**told, "since": since, "counts": [[9, 9, 9, 9, 9, 0, 0, 0]]}).encode() + b"\n"
    )


def changed_first(
    lines: Lines, chosen: Callable[[Piece], bool], change: Callable[[int], Lines]
) -> Lines:
    """Put other lines where the first is that is chosen."""
    first = next(at for at, line in enumerate(lines) if chosen(json.loads(line)))
    return [*lines[:first], *change(first), *lines[first + 1 :]]


def saying(**figures: object) -> Callable[[Piece], None]:
    """Let the statement say something else."""

    def change(piece: Piece) -> None:
        told = {**json.loads(piece["text"]), **figures}
        piece["text"] = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    return change


def unlinked(piece: Piece) -> None:
    """Let the first outage name no incident."""
    told = json.loads(piece["text"])
    told["unavailable"][0]["incidents"] = []
    saying(unavailable=told["unavailable"])(piece)


def redigested(piece: Piece) -> None:
    """Let an entry's digest be that of its bytes."""
    digest = sha256(piece["text"].encode()).digest()
    piece["digest"] = base64.b64encode(digest).decode()
