"""The stretches that maintenance takes out, for whoever counts calls as they come."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.alerts import exclusions
from ai_agent_mesh.operations.planned import Maintenance, Proof
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import Service, minute_number

BOOK = default()
NOTICE = BOOK.maintenance.notice
START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTES = 12


@st.composite
def works(draw: st.DrawFn) -> list[Maintenance]:
    found = []
    for n in range(draw(st.integers(0, 5))):
        since = START + timedelta(seconds=draw(st.integers(0, 60 * MINUTES)))
        length = timedelta(seconds=draw(st.integers(1, 60 * MINUTES)))
        late = draw(st.booleans())
        services = draw(st.none() | st.frozensets(st.sampled_from(list(Service)), min_size=1))
        told = Proof(since - NOTICE + timedelta(microseconds=late), f"ent_{n}")
        off = Proof(since, f"ent_{n}_off") if draw(st.booleans()) else None
        found.append(
            Maintenance(f"mnt_{n}", "", "", Span(since, since + length), services, told, off)
        )
    return found


@given(works())
def test_each_excluded_minute_is_in_one_stretch_which_stands_while_any_work_over_it_does(
    planned: list[Maintenance],
) -> None:
    found = list(exclusions(planned, BOOK))
    assert len({one[:2] for one in found}) == len(found)
    for service in Service:
        for minute in range(minute_number(START), minute_number(START) + 2 * MINUTES):
            over = {
                work.id: work.cancelled is None
                for work in planned
                if minute in inside(work)
                and service in work.named
                and work.span.since - work.announced.at >= NOTICE
            }
            stretches = [
                one for one in found if one.service == service.value and minute in one.minutes
            ]
            assert len(stretches) == bool(over)
            for one in stretches:
                assert one.stands == any(over.values())
                assert one.maintenance.split(".")[0].split("+") == sorted(over)


def inside(work: Maintenance) -> range:
    """Return the minutes that are wholly inside the announced span, counted from its seconds."""
    first = -(-int(work.span.since.timestamp()) // 60)
    return range(first, int(work.span.until.timestamp()) // 60)
