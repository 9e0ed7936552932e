"""What a tenant reads of the ledger: its own entries, newest first."""

import base64
from datetime import datetime

import msgspec

from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.http import Page, Paged, paged
from ai_agent_mesh.plumbing.postgres import Tx

_NEWEST = """
SELECT seq, number, batch, id, at, kind, digest, bytes
FROM ledger_entry WHERE tenant_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3
"""
_LARGEST = 2**63 - 1


class MalformedCursor(Invalid):
    """The page asked for is not one of the ledger."""


class Evident(msgspec.Struct, frozen=True):
    """An entry as it stands in the ledger."""

    seq: int
    number: int
    batch: int
    id: str
    at: datetime
    kind: str
    #: base64 of SHA-256 of the verbatim bytes; the receipt's hash.
    digest: str
    #: The verbatim bytes: a JSON document, as text so that no parser touches it.
    text: str


class PublicKey(msgspec.Struct, frozen=True):
    """What batches are signed with: Ed25519, 32 bytes in base64."""

    key_id: str
    algorithm: str
    public: str


class Ledger:
    """One tenant's own entries."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def entries(self, page: Page) -> Paged[Evident]:
        """Return a page of the tenant's numbered entries, newest first."""
        rows = await self._tx.fetch(_NEWEST, self._tx.tenant_id, _before(page), page.limit + 1)
        found = [
            Evident(
                seq=row["seq"],
                number=row["number"],
                batch=row["batch"],
                id=row["id"],
                at=row["at"],
                kind=row["kind"],
                digest=base64.b64encode(row["digest"]).decode(),
                text=row["bytes"].decode("utf-8", "replace"),
            )
            for row in rows
        ]
        return paged(found, page, lambda entry: str(entry.number))


def public_key(signer: Signer) -> PublicKey:
    """Return the public half of what signs the ledger now."""
    return PublicKey(signer.key_id, "Ed25519", base64.b64encode(signer.public_bytes).decode())


def _before(page: Page) -> int:
    if page.after is None:
        return _LARGEST
    if not page.after.isascii() or not page.after.isdigit() or len(page.after) > 18:
        raise MalformedCursor(faults=[Fault("cursor", "must be a next_cursor of this list")])
    return int(page.after)
