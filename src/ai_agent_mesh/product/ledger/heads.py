"""Signs what one tenant's ledger holds of a span, so that a missing entry shows."""

from datetime import datetime

from ai_agent_mesh.evidence import Growing, Signs, TenantHead, sealed
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.ledger.evidence import Evidence


async def tenant_head(tx: Tx, tenant: str, span: Span, signer: Signs, now: datetime) -> TenantHead:
    """Return the signed head of a tenant's entries that were completed in a span.

    It reads every digest between the first and the last of them; memory stays at a page. `tx` is
    of the role mesh_operations.
    """
    evidence, tree = Evidence(tx), Growing()
    first, last, entries = await evidence.count_between(tenant, span.since, span.until)
    async for leaf in evidence.leaf_hashes(tenant, max(first, 1), last):
        tree.add(leaf)
    head = TenantHead(
        tenant=tenant,
        since=span.since,
        until=span.until,
        first_number=first,
        last_number=last,
        entries=entries,
        root=tree.root,
        at=now,
        key_id=signer.key_id,
    )
    return sealed(head, signer)
