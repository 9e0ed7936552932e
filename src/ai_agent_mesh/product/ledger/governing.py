"""Which playbook judges a month: the one in force when it began, as the signed batches show.

That is the one that the last batch before the month's start names. A ledger that began later has no
such batch: then it is the first batch's. So no month is ever judged by what was chosen after it had
begun, whether somebody changed the playbook within it or while everything stood still.
"""

from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger.evidence import Evidence

# The moments of batches never go back, so the newest one before a moment is the last one.
_BEFORE = "FROM ledger_batch WHERE at < $1 ORDER BY at DESC, batch DESC LIMIT 1"
_GOVERNS = f"""
SELECT coalesce((SELECT playbook {_BEFORE}),
                (SELECT playbook FROM ledger_batch ORDER BY batch LIMIT 1))
"""  # noqa: S608 - a piece of SQL, written above
_TEXT = "SELECT text FROM ledger_playbook_text WHERE digest = $1"


async def governing(tx: Tx, month: Month) -> str | None:
    """Return the digest of the playbook that judges a month; None while there is no batch."""
    digest: str | None = await tx.fetchval(_GOVERNS, month.since)
    return digest


async def turn(tx: Tx, month: Month) -> list[Batch]:
    """Return the batches that show which playbook judges a month.

    The last one before its start with the one that follows; where there is none before, the first.
    """
    last: int | None = await tx.fetchval(f"SELECT batch {_BEFORE}", month.since)
    return await Evidence(tx).batches(last or 1, (last or 0) + 1, 2)


async def playbook_text(tx: Tx, digest: str) -> str | None:
    """Return the canonical text of a playbook that batches name, or None where it is not kept."""
    text: str | None = await tx.fetchval(_TEXT, digest)
    return text
