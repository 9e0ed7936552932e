"""A statement's page proves itself in a browser, offline, and agrees with the command line."""

import base64
import html
import json
import re
from itertools import product
from pathlib import Path

from msgspec import structs
from tests.conftest import Server
from tests.e2e.operations.changing import (
    DECEMBER,
    NOVEMBER,
    beheaded,
    bundled,
    changing,
    forged,
)
from tests.e2e.operations.conftest import Book, another_book, at
from tests.e2e.operations.tampering import TAMPERED, Piece, changed, kind, text, without
from tests.e2e.operations.test_amendments import amend, failed
from tests.e2e.operations.test_bundles import bundle_of, evidence
from tests.e2e.operations.withheld import WITHHELD, older, planned, uncancelled, untold
from tests.e2e.web.conftest import Browser
from tests.e2e.web.test_pages import parsed

from ai_agent_mesh.operations.objectives import as_page
from ai_agent_mesh.operations.objectives.page import SCRIPT
from ai_agent_mesh.operations.statements import Stated, carried, decoder, opened, verified
from ai_agent_mesh.playbook import Playbook, default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.sla import Denominator, Fault, Method


def page_of(lines: list[bytes]) -> str:
    """Return the page of a bundle."""
    stated = decoder.decode(lines[0])
    assert isinstance(stated, Stated)
    return as_page(opened(stated), lines)


async def seen(browser: Browser, page: str, file: Path) -> str:
    """Return what a browser shows of a page from disk, once its script has run."""
    file.write_text(page)
    return await browser.run("--virtual-time-budget=60000", "--dump-dom", file.as_uri())


async def test_the_page_says_in_words_that_it_is_proven(
    book: Book, signer: Signer, browser: Browser, tmp_path: Path
) -> None:
    lines = await evidence(book, signer)
    page = page_of(lines)
    parsed(page)
    assert carried(page.encode()) == lines
    assert verified(carried(page.encode())).sound
    shown = await seen(browser, page, tmp_path / "statement.html")
    assert '<div id="verdict" role="status" class="sound"><strong>✓ Proven</strong>' in shown
    assert "Every figure was computed again from" in shown
    assert base64.b64encode(signer.public_bytes).decode() in shown
    # Somebody paints another figure on the page, or changes one in the evidence.
    painted = page.replace(
        'data-figure="minutes.unavailable">3<', 'data-figure="minutes.unavailable">0<'
    )
    shown = await seen(browser, painted, tmp_path / "painted.html")
    assert "✗ Not proven" in shown
    assert "does not show what it carries: minutes.unavailable" in shown
    for figure, said, untrue in (
        ("met", "✗ missed", "✓ met"),
        ("agreement.version", book.playbook.document.version, "9.9"),
        ("unavailable.0.services", "api", "none"),
        ("unavailable.0.incidents.0.title", "Gateways refuse", "none"),
        ("incidents.0.resolved_at", "open", "2026-11-05 10:02 UTC"),
        ("incidents.1.severity", "sev2", "sev4"),
        ("since", at(0).strftime("%Y-%m-%d %H:%M UTC"), "2020-01-01 00:00 UTC"),
        ("maintenance.1.late", ", too late", ""),
    ):
        found = re.search(rf'(data-figure="{re.escape(figure)}"[^>]*>){re.escape(said)}<', page)
        assert found, figure
        shown = await seen(
            browser, page.replace(found[0], f"{found[1]}{untrue}<"), tmp_path / "p.html"
        )
        assert f"does not show what it carries: {figure}." in shown
    # What cannot be unpacked is the file's own fault, not the browser's.
    torn = re.sub(r'(id="evidence">.{80})', r"\1AAAA", page)
    assert "✗ Not proven" in await seen(browser, torn, tmp_path / "torn.html")
    # Any other script is refused by the page's own policy.
    other = page.replace('<script type="module">', '<script type="module">/* changed */')
    assert "Not checked yet" in await seen(browser, other, tmp_path / "other.html")


async def test_browser_and_command_line_find_the_same(
    book: Book, signer: Signer, browser: Browser, postgres: Server, template: str, tmp_path: Path
) -> None:
    lines = await evidence(book, signer)
    bundles = {name: change(lines) for name, (change, _, _) in TAMPERED.items()}
    bundles["sound"] = lines
    bundles["minutes alone"] = await minutes_alone(lines)
    for denominator, method in product(Denominator, Method):
        async with another_book(postgres, template, signer) as other:
            other.under(by(method, denominator))
            bundles[f"{method}, {denominator}"] = await evidence(other, signer)
            bundles[f"{method}, {denominator}, not over"] = await bundle_of(
                other, signer, at(0, day=9)
            )
    async with another_book(postgres, template, signer) as other:
        await changing(other)
        bundles["a playbook that waits"] = await bundled(other, NOVEMBER)
        bundles["a playbook that has begun"] = begun = await bundled(other, DECEMBER, entries=0)
        bundles["a nicer playbook"] = await forged(other, NOVEMBER)
        bundles["no word of the playbook in force"] = beheaded(begun, 2)
    bundles["corrected"] = amended = await corrected(book, signer)
    bundles["a correction is hidden"] = without(amended, amends)
    bundles["a correction is untrue"] = changed(
        amended, amends, text('"was":"client"', '"was":"none"')
    )
    theirs = await both(browser, bundles, tmp_path)
    for name, check in (
        ("a correction is hidden", "figure"),
        ("a correction is untrue", "amendment"),
        ("a nicer playbook", "playbook"),
        ("no word of the playbook in force", "playbook"),
    ):
        assert check in {one for one, _ in theirs[name][1]}
    proven = [name for name, (_, failures) in theirs.items() if not failures]
    assert len(proven) == 4 + 2 * len(Denominator) * len(Method)


def by(method: Method, denominator: Denominator) -> Playbook:
    """Return the playbook that judges every tier by a method."""
    shipped = default()
    tiers = {name: structs.replace(one, method=method) for name, one in shipped.tiers.items()}
    measured = structs.replace(shipped.measurement, denominator=denominator)
    return structs.replace(shipped, tiers=tiers, measurement=measured)


async def test_both_find_what_is_withheld_of_planned_work_and_show_who_was_told(
    book: Book, signer: Signer, browser: Browser, tmp_path: Path
) -> None:
    lines = await planned(book, signer)
    bundles = {name: change(lines) for name, (change, _, _) in WITHHELD.items()}
    bundles |= {"nothing called off": uncancelled(lines, signer), "untold": untold(lines, signer)}
    sound = {"sound": lines, "older": older(lines, signer)}
    theirs = await both(browser, {**sound, **bundles}, tmp_path)
    assert {name for name, (_, failures) in theirs.items() if not failures} == sound.keys()
    page = page_of(lines)
    shown = await seen(browser, page, tmp_path / "statement.html")
    assert "✓ Proven" in shown
    assert "Who was told" in shown
    painted = page.replace('notices.0.outcome">failed<', 'notices.0.outcome">delivered<')
    shown = await seen(browser, painted, tmp_path / "painted.html")
    assert "does not show what it carries: maintenance.1.notices.0.outcome" in shown


async def both(
    browser: Browser, bundles: dict[str, list[bytes]], folder: Path, *, exactly: bool = True
) -> dict[str, tuple[str, list[list[str]]]]:
    """Let a browser and the command line check bundles; return what the browser found of each.

    Both must accept the same, and `exactly` name the same checks and places.
    """
    told = {name: b"".join(some).decode() for name, some in bundles.items()}
    program = """
      const bundles = JSON.parse(document.getElementById("bundles").textContent), found = {};
      for (const [name, text] of Object.entries(bundles)) {
        const verdict = await verified(text);
        found[name] = [verdict.drawn, verdict.failures.map((one) => [one.check, one.place])];
      }
      document.getElementById("found").textContent = JSON.stringify(found);
    """
    escaped = json.dumps(told).replace("<", "\\u003c")
    page = f"""<!doctype html><meta charset="utf-8"><pre id="found"></pre>
      <script type="application/json" id="bundles">{escaped}</script>
      <script type="module">{SCRIPT}{program}</script>"""
    shown = await seen(browser, page, folder / "both.html")
    found = re.search(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)
    assert found
    theirs: dict[str, tuple[str, list[list[str]]]] = json.loads(html.unescape(found[1]))
    for name, some in bundles.items():
        verdict = verified(some)
        ours = [[str(one.check), one.place] for one in verdict.failures]
        assert bool(theirs[name][1]) == bool(ours), (name, theirs[name], ours)
        if exactly:
            assert list(theirs[name]) == [verdict.drawn_from, ours], name
    return theirs


def amends(piece: Piece) -> bool:
    """Choose corrections among the loose entries: those are the ones that come first."""
    return piece["type"] == "entry" and '"kind":"amendment"' in piece["text"]


async def corrected(book: Book, signer: Signer) -> list[bytes]:
    """Return the bundle after a person has corrected whose fault a call was, and again."""
    for fault in (Fault.CLIENT, Fault.UPSTREAM):
        await amend(book, await failed(book.databases, 2), fault)
    await book.number()
    return await bundle_of(book, signer)


async def minutes_alone(lines: list[bytes]) -> list[bytes]:
    """Leave out the heads and their entries, and let a figure be wrong."""
    pieces = [json.loads(line) for line in lines]
    first = next(at for at, piece in enumerate(pieces) if piece["type"] == "head")
    kept = [*lines[:first], lines[-1]]
    left = [piece["type"] for piece in pieces[:first]]
    ends = {"entries": left.count("entry"), "batches": left.count("batch")}
    kept = changed(kept, kind("end"), lambda end: end.update(ends))
    return changed(kept, kind("statement"), text('"unavailable":3', '"unavailable":2'))
