"""What a statement says of planned work: what it took out, and how those it concerns were told."""

from collections.abc import Sequence

import msgspec

from ai_agent_mesh.evidence import Moment, Whole
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned import (
    Maintenance,
    Told,
    excluded_spans,
    is_late,
    is_outside_window,
)
from ai_agent_mesh.operations.statements.model import Planned
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import started_in


class NoticeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the tenant's subscribers was told of planned work, once that had ended."""

    #: `maintenance.announced` or `maintenance.cancelled`.
    type: str
    #: `delivered` or `failed`.
    outcome: str
    at: Moment
    notice: str
    subscription: str
    host: str
    attempts: int
    #: Tries that may have arrived, although nobody knows.
    doubtful_repeats: int
    #: Why it failed; null where it was delivered.
    reason: str | None
    #: The ledger entry of the tenant that says so, and its number there.
    entry: str
    number: int


class MaintenanceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Announced work that touches the judged span, and what it took out of it."""

    id: str
    title: str
    since: Moment
    until: Moment
    services: tuple[str, ...]
    announced_at: Moment
    #: The ledger entry of the tenant `platform` that announced it, and its number there.
    entry: str
    number: int | None
    cancelled_at: Moment | None
    cancel_entry: str | None
    cancel_number: int | None
    #: It was announced later than the playbook asks, and is judged like any other time.
    late: bool
    #: Some of it lies outside the playbook's weekly window; that alone changes no figure.
    outside_window: bool
    #: Minutes of the judged span that it took out, for each of its services.
    excluded_minutes: int
    #: What came of telling the tenant's subscribers; absent as `planned_work` is.
    notices: tuple[NoticeFigures, ...] | msgspec.UnsetType = msgspec.UNSET


class PlannedWork(msgspec.Struct, frozen=True, kw_only=True):
    """How many announcements and cancellations there had ever been, and the hash over them all."""

    acts: Whole
    hash: bytes


def stood(planned: Planned | None) -> PlannedWork | msgspec.UnsetType:
    """Return how far the acts about planned work had come, where that is known."""
    if planned is None:
        return msgspec.UNSET
    return PlannedWork(acts=planned.link.acts, hash=planned.link.hash)


def maintenance(
    work: Maintenance, span: Span, playbook: Playbook, planned: Planned | None
) -> MaintenanceFigures:
    """Return what a statement of a span says of one work, and how its subscribers were told."""
    judged, off = started_in(span), work.cancelled
    return MaintenanceFigures(
        id=work.id,
        title=work.title,
        since=work.span.since,
        until=work.span.until,
        services=tuple(service.value for service in work.named),
        announced_at=work.announced.at,
        entry=work.announced.entry,
        number=work.announced.number,
        cancelled_at=off.at if off else None,
        cancel_entry=off.entry if off else None,
        cancel_number=off.number if off else None,
        late=is_late(work, playbook),
        outside_window=is_outside_window(work, playbook),
        excluded_minutes=sum(
            len(range(max(one.start, judged.start), min(one.stop, judged.stop)))
            for one in excluded_spans([work], playbook)
        ),
        notices=msgspec.UNSET if planned is None else _notices(work, planned.told),
    )


def _notices(work: Maintenance, told: Sequence[Told]) -> tuple[NoticeFigures, ...]:
    return tuple(_notice(one) for one in told if one.work == work.id)


def _notice(one: Told) -> NoticeFigures:
    return NoticeFigures(
        type=one.type,
        outcome=one.outcome,
        at=one.at,
        notice=one.notice,
        subscription=one.subscription,
        host=one.host,
        attempts=one.attempts,
        doubtful_repeats=one.doubtful_repeats,
        reason=one.reason,
        entry=one.entry,
        number=one.number,
    )
