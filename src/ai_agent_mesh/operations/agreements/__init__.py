"""By which playbook a month is judged: what was promised when it began, read from the ledger."""

from ai_agent_mesh.operations.agreements.facts import AgreementUnreadable, SeveralAgreements
from ai_agent_mesh.operations.agreements.service import Agreements, waits

__all__ = ["AgreementUnreadable", "Agreements", "SeveralAgreements", "waits"]
