"""How a playbook's scalars are written and read: one unit a kind of value."""

from ai_agent_mesh.playbook.units.conditions import CONDITION, Condition, Sense
from ai_agent_mesh.playbook.units.moments import (
    DATE,
    DURATION,
    RECOVERY,
    RESPONSE,
    WINDOW,
    YEARS,
)
from ai_agent_mesh.playbook.units.quantities import (
    BYTES,
    COUNT,
    LIMIT,
    MONEY,
    NUMBER,
    POSITIVE,
    SHARE,
    WHOLE,
)
from ai_agent_mesh.playbook.units.unit import Unit, Unreadable
from ai_agent_mesh.playbook.units.words import EMAIL, FLAG, TEXT, URL

__all__ = [
    "BYTES",
    "CONDITION",
    "COUNT",
    "DATE",
    "DURATION",
    "EMAIL",
    "FLAG",
    "LIMIT",
    "MONEY",
    "NUMBER",
    "POSITIVE",
    "RECOVERY",
    "RESPONSE",
    "SHARE",
    "TEXT",
    "URL",
    "WHOLE",
    "WINDOW",
    "YEARS",
    "Condition",
    "Sense",
    "Unit",
    "Unreadable",
]
