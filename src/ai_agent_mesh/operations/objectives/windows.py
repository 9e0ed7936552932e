"""The calls of the last minutes, by window: one tenant's with the probe's, or everybody's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.maintenance import touching
from ai_agent_mesh.operations.objectives.store import ObjectiveStore
from ai_agent_mesh.operations.planned import excluded_spans
from ai_agent_mesh.operations.statements import PROBE, Calls, Watch
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.sla import Category, Service, moment_of, started_in

# Maintenance leaves availability alone: latency is judged in every minute.
_ALL = """
SELECT length, service, category, sum(calls)::bigint,
       coalesce(sum(valid) FILTER (WHERE NOT left_out), 0)::bigint,
       coalesce(sum(bad) FILTER (WHERE NOT left_out), 0)::bigint,
       sum(timed)::bigint, sum(within_p50)::bigint, sum(within_p95)::bigint, sum(within_p99)::bigint
FROM unnest($2::interval[]) AS window_ (length)
JOIN (
  SELECT kept.*, EXISTS (
    SELECT FROM unnest($3::text[], $4::timestamptz[], $5::timestamptz[])
      AS o (service, since, until)
    WHERE o.service = kept.service AND kept.minute >= o.since AND kept.minute < o.until
  ) AS left_out
  FROM platform_minute AS kept
  WHERE minute >= $1::timestamptz - (SELECT max(l) FROM unnest($2::interval[]) AS l)
    AND minute < $1::timestamptz AND $6::text[] IS NULL
) AS minutes ON minute >= $1::timestamptz - length
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_ONES = _ALL.replace("platform_minute", "ledger_minute").replace(
    "$6::text[] IS NULL", "tenant_id = ANY ($6::text[])"
)


@dataclass(frozen=True, slots=True)
class Window:
    """What a window of whole minutes holds."""

    calls: Sequence[Calls] = ()
    #: How many minutes the probe of each watched service was not heard in.
    silent: Mapping[Service, int] = field(default_factory=dict)


async def read_windows(
    tx: Tx,
    until: datetime,
    lengths: Sequence[timedelta],
    playbook: Playbook,
    *,
    tenant: str | None,
) -> Mapping[timedelta, Window]:
    """Return the windows that end at `until`, minutes of maintenance left out of availability.

    `tx` is of the operations role and of no tenant.
    """
    span = Span(until - max(lengths), until)
    works = await touching(tx, span)
    excluded = {service: excluded_spans(works, playbook, service) for service in Service}
    left_out = [
        (service.value, moment_of(minutes.start), moment_of(minutes.stop))
        for service, ranges in excluded.items()
        for minutes in ranges
    ]
    rows = await tx.fetch(
        _ONES if tenant else _ALL,
        until,
        list(lengths),
        *([one[column] for one in left_out] for column in range(3)),
        [tenant, PROBE] if tenant else None,
    )
    calls: dict[timedelta, list[Calls]] = {length: [] for length in lengths}
    for length, service, category, *sums in map(tuple, rows):
        calls[length].append(Calls(Service(service), Category(category), *sums))
    watches = await ObjectiveStore(tx).watches(span)
    return {
        length: Window(calls[length], _silent(watches, excluded, Span(until - length, until)))
        for length in lengths
    }


def _silent(
    watches: Mapping[Service, Watch],
    excluded: Mapping[Service, Sequence[range]],
    window: Span,
) -> Mapping[Service, int]:
    """Return how many minutes of a window no probe was heard in, maintenance left out."""
    silent: dict[Service, int] = {}
    for service, watch in watches.items():
        shared = [part for span in watch.silent if (part := span.overlap(window))]
        silent[service] = sum(
            not any(minute in minutes for minutes in excluded[service])
            for part in shared
            for minute in started_in(part)
        )
    return silent
