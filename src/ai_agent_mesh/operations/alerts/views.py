"""An alert as it is shown: its moments, and what they make of it."""

from datetime import datetime

import msgspec

from ai_agent_mesh.operations.alerts.advice import RUNBOOKS, runbook
from ai_agent_mesh.operations.alerts.evaluating import state_of
from ai_agent_mesh.operations.alerts.model import Alert


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. `state` is pending, firing or resolved."""

    id: str
    state: str
    name: str
    rule: str
    urgency: str
    #: Whom the playbook lets it tell: `page`, `slack` or `dashboard`.
    tells: str
    objective: str | None
    summary: str
    #: The chapter of the project's runbooks that says what to do.
    runbook: str
    since: datetime
    fired_at: datetime | None
    resolved_at: datetime | None


def view(alert: Alert) -> AlertView:
    """Return an alert with its state."""
    fields = msgspec.structs.asdict(alert)
    fields |= {"urgency": alert.urgency.value, "tells": alert.tells.value}
    chapter = f"{RUNBOOKS}#{runbook(alert.name)}"
    return AlertView(state=state_of(alert).value, runbook=chapter, **fields)
