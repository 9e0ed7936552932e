"""The pages are whole without scripts, without colour, without anything from elsewhere."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.e2e.web.conftest import NOW, Browser, Pages

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.operations.incidents import Draft, Incidents, Resolution
from ai_agent_mesh.operations.objectives import Everybody
from ai_agent_mesh.operations.status import Status
from ai_agent_mesh.playbook import Severity, default
from ai_agent_mesh.sla import Service

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Strict(HTMLParser):
    """Holds that every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it; it is closed already."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the last one."""
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/", "/status", "/slos"])
async def test_a_page_needs_nothing_but_itself(pages: Pages, path: str) -> None:
    async with httpx.AsyncClient(base_url=pages.address) as client:
        answer = await client.get(path)
        page = parsed(answer.text)
        policy = answer.headers["content-security-policy"]
        for tag, attributes in page.seen:
            assert tag not in {"script", "iframe", "object", "style"}
            assert not any(name == "style" or name.startswith("on") for name in attributes)
            if tag in {"link", "img"}:
                source = attributes.get("href") or attributes.get("src") or ""
                assert source.startswith("/static/")
                part = await client.get(source)
                assert part.status_code == 200
                assert part.headers["content-type"] in {"text/css; charset=utf-8", "image/svg+xml"}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_status_page_says_in_words_what_it_draws(pages: Pages) -> None:
    async with httpx.AsyncClient(base_url=pages.address) as client:
        text = (await client.get("/status")).text
    page = parsed(text)
    drawings = [attributes for tag, attributes in page.seen if tag == "svg"]
    assert sum(one.get("role") == "img" for one in drawings) == 4
    assert "Partial system outage" in text
    assert text.count("<g class=") == 4 * 90 + 3
    assert re.search(r"Orchestration: 99\.9\d+% uptime over 71 measured days; 44 minutes", text)
    assert "2026-11-14: 1 minute unavailable" in text
    assert re.search(r"<td>2026-10-14</td>\s*<td>9 h</td>", text)
    assert "2026-08-26: not measured" in text


async def test_the_status_page_tells_what_is_open_and_what_was(pages: Pages) -> None:
    async with httpx.AsyncClient(base_url=pages.address) as client:
        assert (
            "None is open, and none was resolved in the last 14 days."
            in (await client.get("/status")).text
        )
        draft = Draft(title="<b>Late", severity=Severity.SEV2, services=[Service.ORCHESTRATION])
        async with pages.databases.app.tenant("platform") as tx:
            incidents = Incidents(tx, default(), FixedClock(NOW), "usr_1")
            one = await incidents.open(draft)
            await incidents.resolve(one.id, Resolution(cause="A disk was full."))
            await incidents.open(msgspec.structs.replace(draft, title="Still late"))
        pages.status._read_at -= 60
        text = (await client.get("/status")).text
        told = (await client.get("/api/v2/summary.json")).json()["incidents"]
    parsed(text)
    assert "&lt;b&gt;Late" in text
    assert text.index("Still late") < text.index("A disk was full.")
    assert re.search(r"until now · High · Orchestration", text)
    assert [each["name"] for each in told] == ["Still late"]


async def test_the_objectives_are_judged_as_the_status_page_judges(pages: Pages) -> None:
    overview = await pages.status.overview()
    standing, fresh = await pages.everybody.standing()
    assert standing is not None
    assert fresh
    assert (standing.statement.since, standing.statement.until) == (
        NOW.replace(day=1, hour=0, second=0), NOW.replace(second=0),
    )  # fmt: skip
    for component in overview.components:
        days = [day for day in component.days if day.day.month == NOW.month]
        slo = next(i for i in standing.items if i.service == component.service)
        assert slo.objective == "99.99%"
        assert slo.counted == sum(day.judged for day in days)
        assert slo.missed == str(sum(day.unavailable for day in days)), component.service
    async with httpx.AsyncClient(base_url=pages.address) as client:
        text = (await client.get("/slos")).text
    page = parsed(text)
    assert sum(each.get("role") == "img" for tag, each in page.seen if tag == "svg") == 2 * 5
    assert "By 23 November, 12:00 UTC" in text
    # Nobody learns from it how much others call.
    assert "of valid calls" not in text
    assert "≈" not in text


async def test_the_objectives_are_shown_as_last_known_when_the_database_is_away(
    pages: Pages,
) -> None:
    never = Everybody(pages.databases.operations, pages.playbook, FixedClock(NOW))
    await pages.everybody.standing()
    pages.everybody._read_at = float("-inf")  # half a minute has passed
    await pages.databases.operations.close()
    async with httpx.AsyncClient(base_url=pages.address) as client:
        known = await client.get("/slos")
        pages.everybody = never
        unknown = await client.get("/slos")
    for answer in (known, unknown):
        assert answer.status_code == 200
        assert "cannot read new measurements" in answer.text
    assert "It shows what was last known" in known.text
    assert "Objectives of November 2026" in known.text
    assert "Nothing was read before" in unknown.text


async def test_before_anything_was_measured_the_page_claims_neither_well_nor_ill(
    pages: Pages,
) -> None:
    long_ago = FixedClock(NOW - timedelta(days=300))
    pages.status = Status(pages.databases.operations, pages.playbook, long_ago)
    pages.everybody = Everybody(pages.databases.operations, pages.playbook, long_ago)
    async with httpx.AsyncClient(base_url=pages.address) as client:
        text = (await client.get("/status")).text
        objectives = (await client.get("/slos")).text
    assert "Nothing to judge yet" in objectives
    assert "✓" not in objectives
    assert "✗" not in objectives
    assert '<section class="banner unknown" role="status">' in text
    assert "Not measured yet" in text
    assert text.count("state unknown") == 4


async def test_the_json_says_the_same_as_the_page(pages: Pages) -> None:
    async with httpx.AsyncClient(base_url=pages.address) as client:
        whole = (await client.get("/api/v2/summary.json")).json()
        banner = (await client.get("/api/v2/status.json")).json()
        parts = (await client.get("/api/v2/components.json")).json()
    assert whole["status"] == banner["status"]
    assert whole["status"] == {"indicator": "major", "description": "Partial system outage"}
    assert whole["components"] == parts["components"]
    assert [part["status"] for part in parts["components"]] == [
        "partial_outage", "operational", "partial_outage", "operational", "operational",
    ]  # fmt: skip
    assert whole["page"]["url"] == f"{pages.address}/status"


async def test_the_status_page_answers_when_the_database_does_not(pages: Pages) -> None:
    await pages.databases.operations.close()
    async with httpx.AsyncClient(base_url=pages.address) as client:
        answer = await client.get("/status")
        alive = await client.get("/livez")
    assert answer.status_code == 200
    assert "cannot read new measurements" in answer.text
    assert "operational" not in answer.text.replace("Partial", "").lower()
    assert alive.json() == {"alive": True}


async def test_a_browser_shows_the_page(pages: Pages, browser: Browser, tmp_path: Path) -> None:
    picture = tmp_path / "status.png"
    tree = await browser.run("--dump-dom", f"{pages.address}/status")
    assert "Core services" in tree
    await browser.run(
        f"--screenshot={picture}", "--window-size=1100,1300", f"{pages.address}/status"
    )
    assert picture.stat().st_size > 20_000
    tree, said = await browser.watched("--dump-dom", f"{pages.address}/slos")
    assert "Error budget left" in tree
    assert said == []


def parsed(text: str) -> Strict:
    """Read a page; fail where it is not well-formed, or a reader of screens would be lost in it."""
    page = Strict()
    page.feed(text)
    assert page.open == []
    tags = [tag for tag, _ in page.seen]
    assert tags.count("main") == 1
    assert [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)][:1] == [1]
    for tag, attributes in page.seen:
        assert tag != "th" or "scope" in attributes
        if tag == "svg" and attributes.get("role") == "img":
            assert attributes["aria-labelledby"]
    return page
