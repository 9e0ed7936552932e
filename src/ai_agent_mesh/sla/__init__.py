"""The mathematics of promises: pure, exact, and fed with values only."""

from ai_agent_mesh.sla.calendars import (
    BestEffort,
    BusinessDays,
    Response,
    Weekday,
    WeeklyWindow,
    Years,
    due,
)
from ai_agent_mesh.sla.credits import CreditStep, credit_percent
from ai_agent_mesh.sla.figures import fraction_text, percent_text
from ai_agent_mesh.sla.outcomes import (
    OUTCOMES,
    STATUSES,
    Fault,
    Outcome,
    bad,
    fault_of_status,
    timed,
    valid,
    within,
)
from ai_agent_mesh.sla.sketch import Sketch
from ai_agent_mesh.sla.tokens import Category, Denominator, Method, Service, TierName

__all__ = [
    "OUTCOMES",
    "STATUSES",
    "BestEffort",
    "BusinessDays",
    "Category",
    "CreditStep",
    "Denominator",
    "Fault",
    "Method",
    "Outcome",
    "Response",
    "Service",
    "Sketch",
    "TierName",
    "Weekday",
    "WeeklyWindow",
    "Years",
    "bad",
    "credit_percent",
    "due",
    "fault_of_status",
    "fraction_text",
    "percent_text",
    "timed",
    "valid",
    "within",
]
