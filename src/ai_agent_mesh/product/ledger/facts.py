"""What can go wrong with the ledger."""

from ai_agent_mesh.kernel.errors import Unavailable


class LedgerUnavailable(Unavailable):
    """The ledger cannot take an entry now: {reason}."""
