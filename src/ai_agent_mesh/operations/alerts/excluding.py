"""Which minutes announced maintenance takes out of availability, for whoever counts calls."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.planned import FURTHEST, Maintenance, excludes
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.observe import Exclusion
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import Service, wholly_in

#: Maintenance is told of for so long after its end: the longest month, in which its minutes are
#: still looked back at, and a day in which Prometheus may have been away.
TOLD_FOR = timedelta(days=32)


def exclusions(works: Iterable[Maintenance], playbook: Playbook) -> Iterator[Exclusion]:
    """Return the minutes of each service that works take out, or did until they were called off.

    They never overlap: where works do, each stretch is named by all that cover it, and stands for
    as long as one of them does. What was announced too late is not among them.
    """
    return _laid(work for work in works if _in_time(work, playbook))


def _in_time(work: Maintenance, playbook: Playbook) -> bool:
    return excludes(replace(work, cancelled=None), playbook)


def _laid(works: Iterable[Maintenance]) -> Iterator[Exclusion]:
    in_time = [(work, wholly_in(work.span)) for work in works]
    for service in Service:
        yield from _stretches(service, [one for one in in_time if service in one[0].named])


def _stretches(service: Service, works: Sequence[tuple[Maintenance, range]]) -> Iterator[Exclusion]:
    edges = sorted({edge for _, minutes in works for edge in (minutes.start, minutes.stop)})
    named: Counter[str] = Counter()
    for since, until in pairwise(edges):
        over = [work for work, minutes in works if since in minutes]
        if over:
            name = "+".join(sorted(work.id for work in over))
            named[name] += 1
            yield Exclusion(
                # The one around another has two stretches.
                name if named[name] == 1 else f"{name}.{named[name]}",
                service.value,
                range(since, until),
                stands=any(work.cancelled is None for work in over),
            )


async def planned_exclusions(tx: Tx, playbook: Playbook, now: datetime) -> tuple[Exclusion, ...]:
    """Return those of all maintenance that is to come, runs, or ended a while ago.

    Each by the playbook of the month that it begins in; `playbook` is today's. `tx` is of the
    operations role.
    """
    works = await touching(tx, Span(now - TOLD_FOR, now + FURTHEST))
    agreements = Agreements(tx, playbook)
    agreed = await agreements.by_month({Month.of(work.span.since) for work in works})
    return tuple(_laid(one for one in works if _in_time(one, agreed[Month.of(one.span.since)])))
