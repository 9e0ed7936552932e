"""Why a month or a span cannot be judged by its own playbook."""

from ai_agent_mesh.kernel.errors import Conflict, Invalid


class AgreementUnreadable(Conflict):
    """{month} is judged by playbook {digest}, which this version cannot read: {reason}."""


class SeveralAgreements(Invalid):
    """{first} and {other} are judged by different playbooks; ask for each by itself."""
