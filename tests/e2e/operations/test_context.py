"""One tenant's export says by itself what it is judged by: playbook, maintenance, corrections."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from msgspec import UNSET, structs
from tests.e2e.operations.changing import DECEMBER, NICER, NOVEMBER, changing, to
from tests.e2e.operations.conftest import Book, at
from tests.e2e.operations.tampering import Lines, Piece, changed, flip, kind, text, without
from tests.e2e.operations.test_agreements import failed_after
from tests.e2e.operations.test_replay import agree
from tests.e2e.operations.withheld import CANCELLING, hidden, planned

from ai_agent_mesh.evidence import audited
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.amendments import AmendmentDraft, Amendments
from ai_agent_mesh.operations.replay import Answer, Asked, Files, Form, Replay, answers
from ai_agent_mesh.operations.statements import Statement
from ai_agent_mesh.playbook import Playbook, default
from ai_agent_mesh.product.ledger import export
from ai_agent_mesh.sla import Fault


async def exported(
    book: Book, tenant: str, since: datetime | None = None, until: datetime | None = None
) -> Lines:
    """Return the export of a tenant."""
    made = export(book.databases.operations, tenant=tenant, since=since, until=until)
    return [line async for line in made]


def computed(
    files: list[Lines], folder: Path, stated: Statement,
    *, given: Playbook | None = None, maintenance: Path | None = None,
) -> Answer:  # fmt: skip
    """Return what `mesh sla compute` answers of some exports, over the span of a statement.

    Here is installed the default playbook, whatever was in force there.
    """
    paths = [folder / f"{place}.ndjson" for place in range(len(files))]
    for path, lines in zip(paths, files, strict=True):
        path.write_bytes(b"".join(lines))
    works = str(maintenance) if maintenance else None
    found = Files([str(path) for path in paths], Form.RECORDS, maintenance=works)
    asked = Asked(Span(stated.since, stated.until), stated.tenant)
    with Replay(found, asked, given or default(), given=given is not None) as replay:
        parts, judge = (replay.evidence(), replay.reading()), replay.playbook
    (answer,) = answers(*parts, Month.of(stated.since), stated.tenant, "enterprise", [judge])
    return answer


def untold(stated: Statement) -> tuple[object, ...]:
    """Return a statement's maintenance without who was told, which no file is judged for."""
    return tuple(structs.replace(work, notices=UNSET) for work in stated.maintenance)


def bare(lines: Lines) -> Lines:
    """Return the export as the first version wrote it: without a context."""
    pieces = [json.loads(line) for line in lines]
    first = next(place for place, piece in enumerate(pieces) if piece["type"] == "context")
    kept = [piece["type"] for piece in pieces[:first]]
    counts = {"batches": kept.count("batch"), "entries": kept.count("entry")}
    older = changed([*lines[:first], lines[-1]], kind("end"), lambda end: end.update(counts))
    return changed(older, kind("ledger"), lambda head: head.update(version=1))


def origins(answer: Answer) -> tuple[str, str | None]:
    """Return where playbook and maintenance came from."""
    return answer.records.playbook_from, answer.records.maintenance_from


async def test_each_month_is_judged_by_its_own_playbook_and_maintenance_without_any_option(
    book: Book, tmp_path: Path
) -> None:
    """December by another playbook than November, which leaves its maintenance out."""
    oak = await changing(book)
    to(book, DECEMBER.until + timedelta(minutes=5))
    works = tmp_path / "works.csv"
    works.write_text("announced_at,starts_at,ends_at\n")
    for month, playbook, excluded in ((NOVEMBER, default(), 0), (DECEMBER, NICER, 2)):
        stated = await book.objectives.statement("oak", month)
        lines = await exported(book, oak, month.since, month.until)
        assert audited(lines, pinned=[book.signer.public_bytes]).failures == []
        answer = computed([lines], tmp_path, stated)
        agree(answer, stated)
        assert (answer.playbook, answer.minutes.excluded) == (playbook.digest, excluded)
        assert answer.maintenance == untold(stated)
        assert origins(answer) == ("records", "records")
        # What is given wins, and the answer says so.
        answer = computed([lines], tmp_path, stated, given=NICER, maintenance=works)
        assert (answer.playbook, answer.maintenance) == (NICER.digest, ())
        assert origins(answer) == ("given", "given")
        # An export from before there was a context is judged as it was, and says so.
        older = bare(lines)
        assert audited(older, pinned=[book.signer.public_bytes]).failures == []
        answer = computed([older], tmp_path, stated)
        assert (answer.playbook, answer.maintenance) == (default().digest, ())
        assert origins(answer) == ("installed", None)


async def test_a_tenant_s_export_and_the_probe_s_give_what_the_platform_states(
    book: Book, tmp_path: Path
) -> None:
    await planned(book, book.signer)
    stated = await book.objectives.statement("acme", Span(at(0), at(10)))
    assert any(work.excluded_minutes for work in stated.maintenance)
    both = [await exported(book, stated.tenant), await exported(book, "probe")]
    answer = computed(both, tmp_path, stated)
    agree(answer, stated)
    assert answer.maintenance == untold(stated)


async def test_a_correction_that_came_after_the_span_comes_along(
    book: Book, tmp_path: Path
) -> None:
    oak = await changing(book)
    amendments = Amendments(book.databases.operations, book.playbook, book.clock)
    entry = await failed_after(book, at(0, day=15) - timedelta(minutes=1))
    async with book.databases.app.tenant("platform") as tx:
        await amendments.amend(tx, AmendmentDraft(entry, Fault.CLIENT, "theirs"), "ada")
    await book.number()
    stated = await book.objectives.statement("oak", NOVEMBER)
    assert stated.minutes.unavailable == 4
    lines = await exported(book, oak, NOVEMBER.since, NOVEMBER.until)
    assert audited(lines).failures == []
    agree(computed([lines], tmp_path, stated), stated)
    assert computed([bare(lines)], tmp_path, stated).minutes.unavailable == 5


async def test_whatever_is_changed_of_what_an_export_is_judged_by_is_named(book: Book) -> None:
    await planned(book, book.signer)
    lines = await exported(book, await tenant_of(book))
    assert audited(lines).failures == []
    tampered: dict[str, tuple[Lines, str, str]] = {
        "a playbook": (
            changed(lines, kind("playbook"), text("99.99%", "90.99%")),
            "playbook", default().digest,
        ),
        "a playbook and its digest": (
            changed(changed(lines, kind("playbook"), text("99.99%", "90.99%")),
                    kind("playbook"), redigested),
            "playbook", default().digest,
        ),
        "no playbook": (without(lines, kind("playbook")), "playbook", default().digest),
        "what was said of planned work": (
            changed(lines, CANCELLING, text("maintenance.cancel", "maintenance.cancex")),
            "bytes", "seq ",
        ),
        "a cancellation is left out": (hidden(lines, CANCELLING), "maintenance", "act 3"),
        "which playbook a batch names": (
            changed(lines, is_first, lambda one: one.update(playbook="0" * 64)),
            "signature", "batch 1",
        ),
        "the batch that names the playbook": (without_all(lines, is_first), "playbook", "2026-11"),
        "an act's path": (
            changed(lines, CANCELLING, lambda one: one["path"].pop()), "root", "seq ",
        ),
        "the whole context": (
            changed(bare(lines), kind("ledger"), lambda head: head.update(version=2)),
            "file", "end",
        ),
        "a second context": (twice(lines, "context"), "file", "line "),
        "a later form": (
            changed(lines, kind("ledger"), lambda head: head.update(version=3)),
            "file", "line 1",
        ),
        "a key's bytes": (changed(lines, kind("key"), flip("public")), "signature", "key "),
    }  # fmt: skip
    for name, (some, check, place) in tampered.items():
        found = audited(some).failures
        told = {str(one.check): one.place for one in found}
        assert told.get(check, "")[: len(place)] == place, (name, found)


async def tenant_of(book: Book) -> str:
    """Return the id of the tenant of planned work."""
    return (await book.objectives.statement("acme", Span(at(0), at(10)))).tenant


def redigested(piece: Piece) -> None:
    """Let a playbook's digest fit its text again."""
    piece["digest"] = sha256(piece["text"].encode()).hexdigest()


def is_first(piece: Piece) -> bool:
    """Choose the ledger's first batch."""
    return (piece["type"], piece.get("batch")) == ("batch", 1)


def without_all(lines: Lines, chosen: Callable[[Piece], bool]) -> Lines:
    """Leave out every line that is chosen."""
    while any(chosen(json.loads(line)) for line in lines):
        lines = without(lines, chosen)
    return lines


def twice(lines: Lines, name: str) -> Lines:
    """Let the line of a type come twice."""
    place = next(at for at, line in enumerate(lines) if json.loads(line)["type"] == name)
    return [*lines[:place], lines[place], *lines[place:]]
