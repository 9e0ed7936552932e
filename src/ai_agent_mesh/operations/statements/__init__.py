"""What a span of evidence is worth: judged, stated exactly, told, proven. Needs no database."""

from ai_agent_mesh.operations.statements.bundle import (
    HOUR,
    MinutesLine,
    Piece,
    PlaybookText,
    Stated,
    canonical,
    line,
    signed,
)
from ai_agent_mesh.operations.statements.counting import Counts
from ai_agent_mesh.operations.statements.figuring import decimal_text
from ai_agent_mesh.operations.statements.model import (
    PROBE,
    Calls,
    Evidence,
    Outage,
    Tenure,
    Term,
    Watch,
)
from ai_agent_mesh.operations.statements.rules import (
    joined,
    judge,
    judged_span,
    outages,
    read_singly,
    settled_until,
    silence,
    tenures,
    terms_of,
)
from ai_agent_mesh.operations.statements.slos import Slo, slos
from ai_agent_mesh.operations.statements.statement import (
    CIRCUMSTANCES,
    Amount,
    Figures,
    LedgerRange,
    Part,
    Signature,
    Statement,
    first_difference,
)
from ai_agent_mesh.operations.statements.stating import Subject, state
from ai_agent_mesh.operations.statements.text import as_brief, as_text, slos_as_text
from ai_agent_mesh.operations.statements.verifying import Verdict, verified

__all__ = [
    "CIRCUMSTANCES",
    "HOUR",
    "PROBE",
    "Amount",
    "Calls",
    "Counts",
    "Evidence",
    "Figures",
    "LedgerRange",
    "MinutesLine",
    "Outage",
    "Part",
    "Piece",
    "PlaybookText",
    "Signature",
    "Slo",
    "Stated",
    "Statement",
    "Subject",
    "Tenure",
    "Term",
    "Verdict",
    "Watch",
    "as_brief",
    "as_text",
    "canonical",
    "decimal_text",
    "first_difference",
    "joined",
    "judge",
    "judged_span",
    "line",
    "outages",
    "read_singly",
    "settled_until",
    "signed",
    "silence",
    "slos",
    "slos_as_text",
    "state",
    "tenures",
    "terms_of",
    "verified",
]
