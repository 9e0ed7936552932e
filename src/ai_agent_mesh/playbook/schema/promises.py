"""Section 1: tiers, latency, durability, measurement, maintenance, and the limits that go along."""

from datetime import datetime, timedelta
from enum import StrEnum

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook.schema.kinds import (
    Bytes,
    Date,
    Duration,
    Flag,
    Limit,
    Positive,
    Section,
    Share,
    Text,
    Window,
)
from ai_agent_mesh.sla import CreditStep, Denominator, Method, Service, Terms

_MINUTE = timedelta(minutes=1)


class Document(Section, frozen=True):
    """Which playbook this is and who keeps it."""

    product: Text
    company: Text
    version: Text
    updated: Date
    owner: Text


class Credit(Section, frozen=True):
    """From `at_least` up to, not including, `below`, the share `credit` of the fee is paid back."""

    below: Share
    at_least: Share
    credit: Share


class Tier(Section, frozen=True):
    """What a tier of tenants is promised and allowed."""

    title: Text
    uptime: Share
    method: Method
    requests_per_minute: Limit
    fair_use: Flag
    backup_retention: Duration
    recovery_time: Duration | None = None
    credits: tuple[Credit, ...] | None = None

    @property
    def ladder(self) -> tuple[CreditStep, ...]:
        """Return the credit ladder for `sla.credit_percent`, empty on a tier without one."""
        steps = self.credits or ()
        return tuple(CreditStep(step.below, step.at_least, step.credit) for step in steps)


class Latency(Section, frozen=True):
    """What a call of a category must stay strictly under."""

    p50: Duration
    p95: Duration
    p99: Duration


class Durability(Section, frozen=True):
    """How safe written data is."""

    database: Share
    recovery_point: Duration


class MeasuredWindow(StrEnum):
    """Over what span promises are judged."""

    CALENDAR_MONTH = "calendar month"


class Probe(Section, frozen=True):
    """How often the platform tries itself."""

    interval: Duration
    run_wait: Duration


class UnknownCallers(Section, frozen=True):
    """How a flood of refusals from one address is counted."""

    refusals_per_second: Positive
    counted_per_second: Positive


class Measurement(Section, frozen=True):
    """How availability is computed from minutes."""

    window: MeasuredWindow
    services: tuple[Service, ...]
    maintenance_excluded: Flag
    consecutive: Positive
    min_requests: Positive
    error_threshold: Share
    interval: Duration
    denominator: Denominator
    year: Duration
    clock_difference: Duration
    sequenced_within: Duration
    corrected_within: Duration
    probe: Probe
    unknown_callers: UnknownCallers

    def window_of(self, at: datetime) -> Month:
        """Return the window that a moment is judged in."""
        match self.window:
            case MeasuredWindow.CALENDAR_MONTH:
                return Month.of(at)

    def terms(self, method: Method) -> Terms:
        """Return the figures that a method of `sla.availability` goes by."""
        return Terms(
            method=method,
            denominator=self.denominator,
            consecutive=self.consecutive,
            min_requests=self.min_requests,
            error_threshold=self.error_threshold,
            interval=self.interval // _MINUTE,
            silent_bad=_MINUTE // self.probe.interval,
        )


class Maintenance(Section, frozen=True):
    """When planned work may happen and how long before it is announced."""

    notice: Duration
    window: Window
    impact: Text
    how: Text


class LimitedBy(StrEnum):
    """What a rate limit depends on."""

    TIER = "tier"


class Limits(Section, frozen=True):
    """What a single request may be."""

    request_bytes: Bytes
    rate_limited_by: LimitedBy


class ApiKeys(Section, frozen=True):
    """How long an API key lives and how its rotation is prompted."""

    rotation: Duration
    live_at_most: Positive
    warn_before: tuple[Duration, ...]
