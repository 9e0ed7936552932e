"""Signs what one tenant's ledger holds of a span, so that a missing entry shows."""

from datetime import datetime

from ai_agent_mesh.evidence import Growing, Signs, TenantHead, sealed
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.ledger.evidence import Evidence


async def tenant_head(
    operations: Database,
    tenant: str,
    span: Span,
    numbers: tuple[int, int],
    entries: int,
    signer: Signs,
    now: datetime,
) -> TenantHead:
    """Return the signed head of a tenant's entries of a span, from the first to the last number.

    `entries` of them were completed in the span; of none both numbers are 0. Every digest between
    the two is read, a page at a time, each in a transaction of its own: entries never change.
    `operations` is a pool of the role mesh_operations.
    """
    (first, last), tree = numbers, Growing()
    following = max(first, 1)
    while following <= last:
        async with operations.transaction() as tx:
            leaves = await Evidence(tx).leaf_hashes(tenant, following, last)
        if not leaves:
            break
        for leaf in leaves:
            tree.add(leaf)
        following += len(leaves)
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
