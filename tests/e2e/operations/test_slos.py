"""Where each objective of the month stands, from a real ledger; and as a page, in a browser."""

import json
import re
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from tests.e2e.conftest import Stack
from tests.e2e.operations.conftest import Book, at
from tests.e2e.operations.test_amendments import amend, failed
from tests.e2e.operations.test_maintenance import announce
from tests.e2e.web.conftest import Browser
from tests.e2e.web.test_pages import parsed

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.operations.objectives import Standing, Standings, slos_page
from ai_agent_mesh.operations.statements import Burndown, Slo, slos_as_text
from ai_agent_mesh.sla import Category, Fault, Requests, Service, Sketch

#: What the days hold in sketches, and what the minutes hold.
KEPT = "SELECT tenant_id, category, day, bucket, count FROM objective_sketch"
COUNTED = """
SELECT tenant_id, category, (minute AT TIME ZONE 'UTC')::date, bucket, sum(count)::bigint
FROM ledger_sketch GROUP BY 1, 2, 3, 4
"""


async def standing(book: Book, tenant: str, now: datetime) -> Standing:
    """Number what was written and say where the month stands."""
    await book.number()
    return await Standings(book.databases.operations, book.playbook, FixedClock(now)).standing(
        tenant
    )


def line(one: Standing, service: str) -> Burndown:
    """Return the line of a service, or of the platform."""
    return next(found for found in one.burndowns if found.slo.service == service)


def latency(one: Standing, category: Category, percentile: str) -> Slo:
    """Return a latency objective."""
    return next(i for i in one.items if (i.category, i.percentile) == (category, percentile))


async def same(book: Book) -> bool:
    """Tell whether the days' sketches are what the minutes' add up to."""
    async with book.databases.operations.transaction() as tx:
        kept = set(map(tuple, await tx.fetch(KEPT)))
        counted = set(map(tuple, await tx.fetch(COUNTED)))
    return bool(kept) and kept == counted


async def test_a_percentile_is_that_of_all_calls_merged_never_a_mean_of_days(book: Book) -> None:
    tenant = await book.tenant("acme", "enterprise", at(0, day=1))
    quick, slow = [1_000] * 9, [400_000] * 3
    for latency_us in quick:
        await book.calls(tenant, at(1, day=4), latency_us=latency_us)
    for latency_us in slow:
        moment = at(1, day=6, hour=9)
        await book.calls(tenant, moment, latency_us=latency_us, service=Service.TELEMETRY)
    await book.number()
    # A call of the first day arrives late; another tenant's are none of this one's.
    await book.calls(tenant, at(2, day=4), latency_us=1_000)
    other = await book.tenant("other", "free", at(0, day=1))
    await book.calls(other, at(1), latency_us=9_000_000)
    one = await standing(book, "acme", at(0, day=6))
    merged = Sketch.of([1_000, *quick, *slow])
    shown = {p: latency(one, Category.AGENT_CRUD, p).percentile_ms for p in ("p50", "p95")}
    for name, q in (("p50", Fraction(1, 2)), ("p95", Fraction(95, 100))):
        assert shown[name] == round((Sketch.quantile(merged, q) or 0) / 1_000, 3)
    assert shown["p50"] == pytest.approx(1, rel=0.01)
    assert shown["p95"] == pytest.approx(400, rel=0.01)
    assert f"p95 ≈ {shown['p95']:.3g} ms" in slos_page(one)
    # Judged is the exact share all the same.
    assert latency(one, Category.AGENT_CRUD, "p95").attainment == "76.923076923076%"
    assert latency(one, Category.AUTHENTICATION, "p50").percentile_ms is None
    assert await same(book)


async def test_a_percentile_is_that_of_the_minutes_that_are_judged(book: Book) -> None:
    await book.calls("probe", at(0), times=3, latency_us=900_000)
    tenant = await book.tenant("acme", "enterprise", at(1))
    await book.calls(tenant, at(2), latency_us=1_000)
    await book.calls(tenant, at(5), times=3, latency_us=900_000)
    for until, p50 in ((at(5, 30), 1), (at(7), 900)):
        one = latency(await standing(book, "acme", until), Category.AGENT_CRUD, "p50")
        assert one.percentile_ms == pytest.approx(p50, rel=0.01)
    assert await same(book)


async def test_a_corrected_call_leaves_the_percentile(book: Book) -> None:
    tenant = await book.tenant("acme", "enterprise", at(0, day=1))
    await book.calls(tenant, at(3, 20), times=3)
    await book.calls(tenant, at(3, 30), fault=Fault.PLATFORM, latency_us=700_000)
    before = latency(await standing(book, "acme", at(0, day=6)), Category.AGENT_CRUD, "p99")
    await amend(book, await failed(book.databases, 3), Fault.CLIENT)
    after = latency(await standing(book, "acme", at(0, day=6)), Category.AGENT_CRUD, "p99")
    assert before.percentile_ms == pytest.approx(700, rel=0.01)
    assert after.percentile_ms == pytest.approx(1, rel=0.01)
    assert await same(book)


async def test_the_line_of_a_budget_is_that_of_the_ledgers_minutes(book: Book) -> None:
    tenant = await book.tenant("acme", "enterprise", at(0, -30))
    await book.probe(at(0), 6)
    await book.probe(at(6), 2, without=(Service.TELEMETRY,))
    await book.probe(at(8), 2)
    await book.calls(tenant, at(2, 30), times=3, fault=Fault.PLATFORM)
    one = await standing(book, "acme", at(10, 20))
    for name, lost in (("platform", 3), ("api", 1), ("telemetry", 2), ("governance", 0)):
        found = line(one, name)
        allowed = Fraction(found.slo.allowed_by_the_end or 0)
        # From 10:00 on the 5th to the end of November, at 0.01%.
        assert allowed == Fraction((26 * 24 - 10) * 60, 10_000)
        assert found.points[-1] == (at(10), 1 - lost / allowed), name
        [day] = found.days
        assert day.left == 1 - lost / allowed
    # Three failures beside ten probes; two silent minutes stand for the four tries of each.
    assert line(one, "api").days[0].requests == Requests(13, 3)
    assert line(one, "telemetry").days[0].requests == Requests(16, 8)
    assert line(one, "platform").days[0].requests == Requests(49, 11)
    burn = line(one, "api").slo.burn
    assert [(each.window, each.valid, each.bad) for each in burn] == [
        (window, 13, 3) for window in ("1h", "6h", "24h", "72h")
    ]
    assert [each.alarms_above for each in burn] == ["14.4", "6", "3", "1"]
    assert burn[0].rate == "2307.692307692307"
    ahead = line(one, "api").slo.ahead
    assert ahead is not None
    left = 1 - 1 / Fraction(line(one, "api").slo.allowed_by_the_end or 0)
    assert Fraction(ahead.month_remaining_ratio) == pytest.approx(left, abs=1e-12)


async def test_maintenance_is_left_out_of_the_days_and_shown_ahead(book: Book) -> None:
    tenant = await book.tenant("acme", "enterprise", at(0, day=4))
    for minute in (5, 15):
        await book.calls(tenant, at(minute, day=5), fault=Fault.PLATFORM)
    await announce(book, at(0, day=1), at(10), at(20), Service.API)
    await announce(book, at(0, day=1), at(0, day=29), at(60, day=29))
    one = await standing(book, "acme", at(0, day=6, hour=2))
    whole = {found.span.since.day: found.requests for found in line(one, "api").days}
    assert whole == {4: Requests(0, 0), 5: Requests(1, 1), 6: Requests(0, 0)}
    assert [(work.span.since.day, work.excluded) for work in one.works] == [(5, True), (29, True)]
    assert latency(one, Category.AGENT_CRUD, "p99").counted == 2


@pytest.mark.parametrize("now", [at(0, 5, day=1, hour=0), at(1, 50, day=1, hour=0)])
async def test_the_first_minutes_of_a_month_claim_nothing(book: Book, now: datetime) -> None:
    await book.tenant("acme", "free", at(0, day=1, hour=0) - timedelta(days=9))
    one = await standing(book, "acme", now)
    page, text = slos_page(one), slos_as_text(one.items)
    for told in (page, text):
        assert ("Nothing to judge yet" in told) is (now < at(1, day=1, hour=0))
    assert ("<desc" in page) is ("100%" in text) is (now > at(1, day=1, hour=0))
    assert "MISSED" not in text
    assert "missed" not in re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL)
    parsed(page)


async def test_the_door_tells_each_objective_as_json_text_and_page(stack: Stack) -> None:
    async with stack.client() as client:
        answer = await client.get("/v1/slos")
        items = {(i["service"], i["category"], i["percentile"]): i for i in answer.json()["items"]}
        text = await client.get("/v1/slos", headers={"Accept": "text/plain"})
        page = await client.get("/v1/slos", headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "application/json"
    assert len(items) == 5 + 15
    whole = items["platform", None, None]
    # A system that has just been started has no whole minute yet, and so nothing that burns.
    assert [one["window"] for one in whole["burn"]] in ([], ["1h", "6h", "24h", "72h"])
    assert Fraction(whole["allowed_by_the_end"]) > Fraction(whole["allowed"]) >= 0
    assert whole["objective"] in text.text
    assert re.search(r"^  platform +99\.99% ", text.text, re.MULTILINE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "mesh-receipt" in page.headers
    told = await stack.run("slo", "--tenant", stack.tenant, "--format", "html")
    for one in (page.text, told):
        seen = parsed(one).seen
        assert not [tag for tag, _ in seen if tag in {"script", "iframe", "link", "img", "object"}]
        assert not [name for _, each in seen for name in each if name.startswith(("on", "style"))]
        drawings = [each for tag, each in seen if tag == "svg" and each.get("role") == "img"]
        judged = "Nothing to judge yet" not in one
        assert len(drawings) == (2 * 5 if judged else 0)
        ids = [each["id"] for _, each in seen if "id" in each]
        assert len(ids) == len(set(ids))
        for each in drawings:
            assert set((each["aria-labelledby"] or "").split()) <= set(ids)
    assert max(map(len, text.text.splitlines())) <= 80
    same_items = json.loads(await stack.run("slo", "--tenant", stack.tenant, "--format", "json"))
    assert {i["objective"] for i in same_items["items"]} == {i["objective"] for i in items.values()}


async def test_a_browser_draws_the_page_without_a_complaint(
    book: Book, browser: Browser, tmp_path: Path
) -> None:
    tenant = await book.tenant("acme", "professional", at(0, -30))
    await book.probe(at(0), 3)
    await book.calls(tenant, at(2, 30), times=3, fault=Fault.PLATFORM)
    await announce(book, at(0, day=1), at(60), at(90))
    page = slos_page(await standing(book, "acme", at(5, 20)))
    file = tmp_path / "slos.html"
    file.write_text(page)
    shown, said = await browser.watched("--dump-dom", file.as_uri())
    assert said == []
    assert "By 5 November, 10:05 UTC" in shown
    assert shown.count("</desc>") == 10
    # What it would say: a style that the page's own policy does not know.
    file.write_text(page.replace("<main>", '<main style="color: red">'))
    _, said = await browser.watched("--dump-dom", file.as_uri())
    assert any("Content Security Policy" in each for each in said)
