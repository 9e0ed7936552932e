"""A provider who holds the key and owns the database, and signs what is rosier than it was."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.e2e.operations.conftest import Book, at
from tests.e2e.operations.tampering import Lines, Piece, changed, kind
from tests.e2e.operations.test_bundles import bundle_of, evidence
from tests.e2e.operations.test_page import both
from tests.e2e.operations.test_withheld import announce_at_once
from tests.e2e.operations.withheld import (
    ANNOUNCING,
    acts,
    hidden,
    places,
    planned,
    stated_anew,
    work_of,
)
from tests.e2e.web.conftest import Browser

from ai_agent_mesh.operations.planned import Draft, Link
from ai_agent_mesh.operations.statements import bundle, verified
from ai_agent_mesh.plumbing.crypto import Signer

#: How many bytes are changed in the suite; some thousand were, once, by hand.
SAMPLE = 150


def moment(minute: int) -> str:
    """Return a moment as a statement writes it."""
    return at(minute).isoformat().replace("+00:00", "Z")


def parted_around(told: Piece) -> None:
    """Leave the first minutes out between two parts, or before them."""
    told["parts"][-1]["since"] = moment(int(told["parts"][-1]["since"][14:16]) + 1)


def split(told: Piece) -> None:
    """Make two parts of the last one, on the same tier: each has a credit of its own."""
    *_, last = told["parts"]
    told["parts"][-1] = {**last, "until": moment(9)}
    told["parts"].append({**last, "since": moment(9)})


def passing_over_the_newest(lines: Lines, signer: Signer) -> Lines:
    """State that the newest act never was; the tenant's own ledger tells of its delivery."""
    link = Link()
    for place in places(lines, acts)[:-1]:
        link = link.followed(base64.b64decode(json.loads(lines[place])["digest"]))

    def change(told: Piece) -> None:
        told["maintenance"].remove(work_of(told, "Too late"))
        told["planned_work"].update(acts=link.acts, hash=link.facts["previous"])

    return hidden(stated_anew(lines, signer, change), ANNOUNCING)


def again(lines: Lines, signer: Signer, text: str) -> Lines:
    """Sign any text as a statement."""
    sign = base64.b64encode(signer.sign(bundle.signed_text(text.encode()))).decode()
    return changed(lines, kind("statement"), lambda one: one.update(text=text, signature=sign))


def respelt(lines: Lines, signer: Signer, find: str, put: str) -> Lines:
    """Sign the statement with a piece of its text written otherwise."""
    text = json.loads(lines[0])["text"]
    assert find in text, find
    return again(lines, signer, text.replace(find, put, 1))


def before_incidents(told: Piece) -> None:
    """Say nothing of incidents, as before statements did."""
    del told["incidents"]
    for outage in told["unavailable"]:
        del outage["incidents"]


def early(told: Piece) -> None:
    """Judge up to before the end, as if nothing had been settled since."""
    told["until"] = told["parts"][-1]["until"] = moment(9)


async def test_neither_verifier_lets_a_rosier_statement_pass(
    book: Book, signer: Signer, browser: Browser, tmp_path: Path
) -> None:
    lines = await evidence(book, signer)

    def stated(change: Callable[[Piece], object]) -> Lines:
        return stated_anew(lines, signer, change)

    deep = json.loads(lines[0])["text"][:-1] + ',"zzz":' + "[" * 20_000 + "]" * 20_000 + "}"
    tried = {
        "minutes between parts": (stated(parted_around), "figure", "parts.1.since"),
        "two parts of one tier": (stated(split), "figure", "parts.2.tier"),
        "an end before the end": (stated(early), "figure", "until"),
        "a month that was not asked for": (
            stated(lambda told: told.update(month="2026-11")), "figure", "asked_since",
        ),
        "a month that is none": (
            stated(lambda told: told.update(month="2026-13")), "figure", "statement",
        ),
        "a figure twice": (
            respelt(lines, signer, '"availability":', '"availability":"100%","availability":'),
            "file", "line 1",
        ),
        "a figure as a fraction": (
            respelt(lines, signer, '"unavailable":3', '"unavailable":3.0'), "file", "line 1",
        ),
        "a figure without end": (
            respelt(lines, signer, '"unavailable":3', '"unavailable":1e400'), "file", "line 1",
        ),
        "letters by their numbers": (
            respelt(lines, signer, '"tenant_name":"a', '"tenant_name":"\\u0061'), "file", "line 1",
        ),
        "depth": (again(lines, signer, deep), "file", "line 1"),
        "another version": (
            changed(lines, kind("statement"), lambda one: one.update(version=2)), "file", "line 1",
        ),
    }  # fmt: skip
    for name, (some, check, place) in tried.items():
        failures = verified(some).failures
        assert (check, place) in {(str(one.check), one.place) for one in failures}, (name, failures)
    older = stated(before_incidents)
    assert verified(older).failures == []
    rosier = {name: some for name, (some, *_) in tried.items()}
    theirs = await both(browser, {"sound": lines, "older": older, **rosier}, tmp_path)
    assert {name for name, (_, failures) in theirs.items() if not failures} == {"sound", "older"}


async def test_planned_work_is_not_made_up_afterwards_nor_kept_from_who_was_told(
    book: Book, signer: Signer, browser: Browser, tmp_path: Path
) -> None:
    """What is announced after an outage, under a moment of long before; and an act passed over."""
    lines = await planned(book, signer)
    told = passing_over_the_newest(lines, signer)
    # Somebody with the database announces on the 9th, under a moment of the 6th, what has been.
    work = Draft(title="Made up", since=at(6, day=9), until=at(7, day=9))
    book.clock.move(at(0, day=9, hour=12) - book.clock.now())
    made = await announce_at_once(book, work, at(0, day=6))
    await book.number()
    late = await bundle_of(book, signer, at(8, day=9))
    first = verified(told).failures
    assert ("maintenance", "it tells of an act that is not here") in {
        (str(one.check), one.reason) for one in first
    }, first
    second = verified(late).failures
    assert [(str(one.check), one.place, one.reason) for one in second] == [
        ("maintenance", made.announced.entry, "it was signed only when the work had begun"),
    ], second
    await both(browser, {"sound": lines, "passed over": told, "made up": late}, tmp_path)


async def test_one_byte_anywhere_makes_both_verifiers_fail_alike(
    book: Book, signer: Signer, browser: Browser, tmp_path: Path
) -> None:
    lines = await planned(book, signer)
    random = Random(11)  # noqa: S311 - which bytes, no secret
    kinds = sorted({json.loads(line)["type"] for line in lines})
    cases: dict[str, Lines] = {"sound": lines}
    while len(cases) < SAMPLE:
        name = random.choice(kinds)
        place = random.choice(
            [at for at, raw in enumerate(lines) if json.loads(raw)["type"] == name]
        )
        line = bytearray(lines[place])
        byte = random.randrange(len(line) - 1)  # not the line's end: that is no part of it
        line[byte] = random.choice([one for one in b'05aAzZ{}[]",:\\/+= ' if one != line[byte]])
        cases[f"{name} {place} {byte}"] = [*lines[:place], bytes(line), *lines[place + 1 :]]
    for name, some in cases.items():
        assert bool(verified(some).failures) == (name != "sound"), name
    theirs = await both(browser, cases, tmp_path, exactly=False)
    assert {name for name, (_, failures) in theirs.items() if not failures} == {"sound"}
