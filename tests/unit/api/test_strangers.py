"""A flood of refusals is told by one entry a span, and never loses one from the count."""

import asyncio

from ai_agent_mesh import playbook
from ai_agent_mesh.api.facts import TooManyStrangers
from ai_agent_mesh.api.strangers import Strangers
from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.product.ledger import Entry, Kind
from ai_agent_mesh.sla import Category, Service

RULES = playbook.default().measurement.unknown_callers


def refusal(address: str) -> Entry:
    """Return the entry of a refused call."""
    return Entry(
        id=new_id("ent"),
        kind=Kind.CALL,
        tenant="platform",
        at=SystemClock().now(),
        service=Service.API,
        category=Category.OTHER,
        client=address,
    )


def strangers() -> tuple[Strangers, list[Entry]]:
    """Return a counter and the list of what it books."""
    booked: list[Entry] = []

    async def record(entry: Entry) -> None:
        booked.append(entry)

    return Strangers(playbook.default(), record, look_ups=2), booked


async def test_up_to_the_playbooks_figure_each_refusal_stands_alone() -> None:
    counter, booked = strangers()
    alone = [counter.refused(refusal("a")) for _ in range(RULES.refusals_per_second)]
    await counter.close()
    assert all(alone)
    assert booked == []


async def test_past_it_one_entry_stands_for_the_rest_of_an_address() -> None:
    counter, booked = strangers()
    for address, times in (("a", 100), ("b", 30), ("c", 1)):
        alone = sum(counter.refused(refusal(address)) for _ in range(times))
        assert alone == min(times, RULES.refusals_per_second)
    await counter.close()
    counts = {entry.client: int(entry.detail["count"]) for entry in booked}
    most = RULES.refusals_per_second
    assert counts == {"a": 100 - most, "b": 30 - most}
    assert len({entry.id for entry in booked}) == 2


async def test_addresses_without_number_share_one_count() -> None:
    counter, booked = strangers()
    for number in range(10_100):
        counter.refused(refusal(str(number)))
    await counter.close()
    assert [int(entry.detail["count"]) for entry in booked] == [100 - RULES.refusals_per_second]


async def test_look_ups_of_a_crowded_address_pass_one_by_one_and_the_queue_is_bounded() -> None:
    counter, _ = strangers()
    for _ in range(RULES.refusals_per_second):
        counter.refused(refusal("a"))
    inside = most = refused = 0

    async def look(address: str) -> None:
        nonlocal inside, most, refused
        try:
            async with counter.look_up(address):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1
        except TooManyStrangers:
            refused += 1

    await asyncio.gather(*(look("a") for _ in range(60)))
    assert (most, refused) == (1, 10)
    most = 0
    await asyncio.gather(*(look("b") for _ in range(60)))
    assert (most, refused) == (2, 10)
    await counter.close()


async def test_nothing_is_owed_when_nobody_came() -> None:
    counter, booked = strangers()
    await counter.close()
    assert booked == []
