"""Evidence that is made up: minutes of one day, and what they are judged by."""

from datetime import UTC, datetime, timedelta

from msgspec import structs

from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.planned import Maintenance, Proof
from ai_agent_mesh.operations.statements import Evidence, Watch
from ai_agent_mesh.operations.statements.model import Tenure
from ai_agent_mesh.operations.statements.statement import LedgerRange, Statement
from ai_agent_mesh.operations.statements.stating import Subject, state
from ai_agent_mesh.playbook import Playbook, default
from ai_agent_mesh.sla import (
    Judged,
    Method,
    MinuteCount,
    Service,
    minute_number,
)

PLAYBOOK = default()


TERMS = PLAYBOOK.measurement.terms(Method.PERIOD)


NOTICE = PLAYBOOK.maintenance.notice


API, ORCHESTRATION = Service.API, Service.ORCHESTRATION


def at(minute: int, second: int = 0, *, day: int = 5) -> datetime:
    """Return a moment of the 5th (or another day) of November 2026 after 10:00."""
    return datetime(2026, 11, day, 10, tzinfo=UTC) + timedelta(minutes=minute, seconds=second)


def span(since: int, until: int) -> Span:
    """Return a span of minutes after 10:00."""
    return Span(at(since), at(until))


def marred(moment: datetime, service: Service, valid: int, bad: int) -> MinuteCount:
    """Return the calls of a service in a minute."""
    return MinuteCount(minute_number(moment), service, valid, bad)


def lost(judged: Judged) -> int:
    """Return how many minutes were unavailable."""
    return len(judged.unavailable)


def evidence(*minutes: MinuteCount, silent: tuple[Span, ...] = (), length: int = 100) -> Evidence:
    """Return the evidence of some minutes, telemetry watched all along."""
    watches = {Service.TELEMETRY: Watch(at(0), silent)}
    return Evidence(span(0, length), minutes, watches, ())


def work(
    planned: Span, ahead: timedelta, services: frozenset[Service] | None = None
) -> Maintenance:
    """Return maintenance that was announced so long ahead."""
    told = Proof(planned.since - ahead, "ent_1", 1)
    return Maintenance("mnt_1", "Disks", "", planned, services, told)


def minutes(since: int, until: int) -> range:
    """Return minutes after 10:00 by number."""
    return range(minute_number(at(since)), minute_number(at(until)))


def by(method: Method) -> Playbook:
    """Return the playbook with a method for the enterprise tier."""
    tier = structs.replace(PLAYBOOK.tiers["enterprise"], method=method)
    return structs.replace(PLAYBOOK, tiers={**PLAYBOOK.tiers, "enterprise": tier})


def statement(
    found: Evidence,
    tier: str = "enterprise",
    month: str | None = None,
    playbook: Playbook = PLAYBOOK,
) -> Statement:
    """State some evidence."""
    asked = Month.parse(month).span if month else found.span
    subject = Subject("tnt_1", "Acme", month, asked)
    tenure = Tenure(tier, found.span, ((found.span, None),))
    return state(subject, [(tenure, found)], [LedgerRange("tnt_1", 3, 9, 7)], playbook, at(0))
