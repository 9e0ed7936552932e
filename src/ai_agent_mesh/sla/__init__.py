"""The mathematics of promises: pure, exact, and fed with values only."""

from ai_agent_mesh.sla.availability import Judged, Judgement, availability
from ai_agent_mesh.sla.budget import allowed_budget, budget_left
from ai_agent_mesh.sla.burn import (
    BurnRate,
    BurnWindow,
    Requests,
    alarms,
    budget_lasts,
    burn_rate,
    burns,
    reachable,
)
from ai_agent_mesh.sla.burndown import Spent, spent_by, spent_in
from ai_agent_mesh.sla.calendars import (
    BestEffort,
    BusinessDays,
    Response,
    Weekday,
    WeeklyWindow,
    Years,
    due,
)
from ai_agent_mesh.sla.credits import CreditStep, credit_percent, prorated_fee
from ai_agent_mesh.sla.figures import fraction_text, percent_text
from ai_agent_mesh.sla.latency import PERCENTILES, Attainment, attainment
from ai_agent_mesh.sla.maintenance import Announcement
from ai_agent_mesh.sla.methods import BY_MINUTE, Terms
from ai_agent_mesh.sla.minutes import (
    MinuteCount,
    minute_number,
    moment_of,
    spans_of,
    started_in,
    wholly_in,
)
from ai_agent_mesh.sla.outcomes import (
    OUTCOMES,
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
    "BY_MINUTE",
    "OUTCOMES",
    "PERCENTILES",
    "Announcement",
    "Attainment",
    "BestEffort",
    "BurnRate",
    "BurnWindow",
    "BusinessDays",
    "Category",
    "CreditStep",
    "Denominator",
    "Fault",
    "Judged",
    "Judgement",
    "Method",
    "MinuteCount",
    "Outcome",
    "Requests",
    "Response",
    "Service",
    "Sketch",
    "Spent",
    "Terms",
    "TierName",
    "Weekday",
    "WeeklyWindow",
    "Years",
    "alarms",
    "allowed_budget",
    "attainment",
    "availability",
    "bad",
    "budget_lasts",
    "budget_left",
    "burn_rate",
    "burns",
    "credit_percent",
    "due",
    "fault_of_status",
    "fraction_text",
    "minute_number",
    "moment_of",
    "percent_text",
    "prorated_fee",
    "reachable",
    "spans_of",
    "spent_by",
    "spent_in",
    "started_in",
    "timed",
    "valid",
    "wholly_in",
    "within",
]
