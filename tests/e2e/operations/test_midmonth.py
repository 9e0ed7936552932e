"""A month that another playbook judges than today's, wherever it is shown while it runs."""

from datetime import timedelta

import pytest
from tests.e2e.operations.changing import DAY, DECEMBER, NICER, NOVEMBER, changing, to
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.operations.alerts import look_ahead, metrics_of, planned_exclusions
from ai_agent_mesh.operations.objectives import Everybody, Standings, slos_fragment, slos_page
from ai_agent_mesh.playbook import Playbook, default, parse
from ai_agent_mesh.plumbing.observe import Metrics
from ai_agent_mesh.sla import Category, Fault, Service, minute_number

#: What the processes run under while December, and nothing else, is judged by the nicer one.
TODAY = (default(), NICER, parse(b"kpis: {platform: {uptime: 97%}}", "another"))


@pytest.fixture
async def oak(book: Book) -> str:
    """Return the tenant whose playbook changed in November."""
    return await changing(book)


async def test_objectives_and_their_page_are_those_of_the_month(book: Book, oak: str) -> None:
    for today in TODAY:
        one = await Standings(book.databases.operations, today, book.clock).standing(oak)
        items = {(i.service, i.category, i.percentile): i for i in one.items}
        assert items["platform", None, None].objective == "80%"
        assert items[None, "agent_crud", "p50"].threshold_ms == 10
        page = slos_page(one)
        assert page.count("80% promised") == 5
        assert "50% under 10 ms" in page
        assert "under 100 ms" not in page.partition("Agent CRUD")[2].partition("</tbody>")[0]
        # That it was announced a day ahead was early enough for this month.
        assert [work.excluded for work in one.works] == [True]


@pytest.mark.usefixtures("oak")
async def test_in_public_it_is_the_months_promise_too(book: Book) -> None:
    for today in TODAY:
        everybody = Everybody(book.databases.operations, today, book.clock)
        standing, fresh = await everybody.standing()
        assert fresh
        assert standing is not None
        page = slos_fragment(standing, public=True)
        assert page.count("99.99% promised") == 5
        assert "50% under 10 ms" in page


async def counted(book: Book, today: Playbook) -> Metrics:
    """Return a process's metrics once it has looked ahead."""
    metrics = metrics_of(today, "test")
    metrics.expect([("api", "agent_crud")])
    async with book.databases.operations.transaction() as tx:
        await look_ahead(tx, metrics, today, book.clock.now())
    return metrics


def shown(metrics: Metrics, name: str) -> float:
    """Return the value of one series."""
    lines = metrics.render()[0].decode().splitlines()
    return float(next(one.rpartition(" ")[2] for one in lines if one.startswith(name)))


@pytest.mark.usefixtures("oak")
async def test_a_process_counts_by_the_months_thresholds_and_its_maintenance(book: Book) -> None:
    for today in TODAY:
        await looked_at(book, today)


async def looked_at(book: Book, today: Playbook) -> None:
    """Hold what a process that runs under a playbook counts in December."""
    async with book.databases.operations.transaction() as tx:
        works = await planned_exclusions(tx, today, book.clock.now())
    first = DECEMBER.since + 5 * DAY
    # A day ahead was too late for November, and early enough for December.
    assert {one.minutes.start for one in works} == {minute_number(first)}
    metrics = await counted(book, today)
    work = first + timedelta(minutes=1)
    for moment in (work, work + timedelta(minutes=3)):
        metrics.request("api", "agent_crud", Fault.PLATFORM, 503, 1, at=moment)
    call = 'category="agent_crud"'
    assert shown(metrics, "mesh_sli_bad_total{" + call) == 1
    assert shown(metrics, "mesh_sli_excluded_bad_total{" + call) == 1
    metrics.request("api", "agent_crud", Fault.NONE, 200, 50_000, at=work)
    within = f'mesh_sli_within_total{{{call},percentile="p50",'
    assert shown(metrics, within) == 0
    assert shown(metrics, 'mesh_objective_ratio{slo="platform-availability"}') == 0.9999


async def test_a_month_is_counted_by_its_own_playbook_up_to_its_last_moment(book: Book) -> None:
    tenant = await book.tenant("elm", "free", at(0, day=1))
    to(book, at(0, day=6))
    await book.calls(tenant, at(0), service=Service.API, category=Category.AGENT_CRUD)
    await book.number()
    book.under(NICER)
    to(book, NOVEMBER.until - timedelta(minutes=5))
    await book.calls(tenant, NOVEMBER.until - timedelta(minutes=6))
    await book.number()
    metrics = await counted(book, default())
    within = 'mesh_sli_within_total{category="agent_crud",percentile="p50",'
    for moment in (NOVEMBER.until - timedelta(microseconds=1), NOVEMBER.until):
        metrics.request("api", "agent_crud", Fault.NONE, 200, 50_000, at=moment)
    assert shown(metrics, within) == 1
