"""Section 5: what is watched, what alarms, and who is on call."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from ai_agent_mesh.playbook.schema.kinds import (
    Condition,
    Duration,
    Flag,
    Keys,
    Money,
    Positive,
    Section,
    Share,
    Text,
    Words,
)
from ai_agent_mesh.sla import BurnWindow


class Metrics(Section, frozen=True):
    """Which figures are collected, and with what."""

    tools: Words
    system: Words
    application: Words
    business: Words


class Logs(Section, frozen=True):
    """How logs are written and kept."""

    tools: Words
    format: Text
    offers: Words


class Traces(Section, frozen=True):
    """How requests are followed."""

    tools: Words
    offers: Words


class Monitoring(Section, frozen=True):
    """The three kinds of evidence that operations read."""

    metrics: Metrics
    logs: Logs
    traces: Traces


class Signal(StrEnum):
    """A figure or an event that an alert can watch."""

    API_ERROR_RATE = "api_error_rate"
    LATENCY_P99 = "latency_p99"
    DATABASE_CONNECTIONS = "database_connections"
    DISK_USAGE = "disk_usage"
    MEMORY_USAGE = "memory_usage"
    CERTIFICATE_EXPIRY = "certificate_expiry"
    POD_CRASH_LOOP = "pod_crash_loop"
    DEPLOYMENT_COMPLETED = "deployment_completed"
    AUTOSCALING_TRIGGERED = "autoscaling_triggered"
    BACKUP_COMPLETED = "backup_completed"


class Tells(StrEnum):
    """Where an alert goes."""

    PAGE = "page"
    SLACK = "slack"
    DASHBOARD = "dashboard"


class AlertGroup(Section, frozen=True):
    """Alerts of one urgency."""

    tells: Tells
    rules: Annotated[Mapping[str, Condition], Keys(Signal, all=False)]


class Urgency(StrEnum):
    """How urgent an alert is."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class CrashLoop(Section, frozen=True):
    """How many restarts within what time make a crash loop."""

    restarts: Positive
    within: Duration


class Burn(Section, frozen=True):
    """How much of a month's error budget, spent within what time, alarms whom."""

    budget: Share
    within: Duration
    urgency: Urgency


class BurnAlerts(Section, frozen=True):
    """When an error budget is spent too fast."""

    short_window: Positive
    windows: tuple[Burn, ...]

    def of(self, urgency: Urgency) -> tuple[BurnWindow, ...]:
        """Return the windows of an urgency, as `sla.alarms` takes them."""
        return tuple(
            BurnWindow(one.budget, one.within, one.within / self.short_window)
            for one in self.windows
            if one.urgency is urgency
        )


class Alerting(Section, frozen=True):
    """How alerts are evaluated."""

    evaluated_every: Duration
    rates_over: Duration
    lasting: Duration
    events_shown: Duration
    min_requests: Positive
    crash_loop: CrashLoop
    burn: BurnAlerts


class Pay(Section, frozen=True):
    """What being on call is worth."""

    stipend: Money
    stipend_per: Duration
    overtime: Flag
    comp_time: Flag


class OnCall(Section, frozen=True):
    """Who answers pages, how soon, and what they get for it."""

    primary_rotation: Duration
    secondary_rotation: Duration
    coverage: Text
    respond_within: Duration
    duties: Words
    pay: Pay
