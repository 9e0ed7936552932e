"""Which minutes announced maintenance takes out of availability, for whoever counts calls."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.planned import FURTHEST, Maintenance, excludes
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.observe import Exclusion
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import wholly_in

#: Maintenance is told of for so long after its end: the longest month, in which its minutes are
#: still looked back at, and a day in which Prometheus may have been away.
TOLD_FOR = timedelta(days=32)


def exclusions(works: Iterable[Maintenance], playbook: Playbook) -> Iterator[Exclusion]:
    """Yield the minutes of each service that works take out, or did until they were called off.

    What was announced too late, or holds no whole minute, takes out nothing and is not among them.
    """
    for work in works:
        minutes = wholly_in(work.span)
        if minutes and excludes(replace(work, cancelled=None), playbook):
            for service in work.named:
                yield Exclusion(work.id, service.value, minutes, stands=work.cancelled is None)


async def planned_exclusions(tx: Tx, playbook: Playbook, now: datetime) -> tuple[Exclusion, ...]:
    """Return those of all maintenance that is to come, runs, or ended a while ago.

    `tx` is of the operations role.
    """
    works = await touching(tx, Span(now - TOLD_FOR, now + FURTHEST))
    return tuple(exclusions(works, playbook))
