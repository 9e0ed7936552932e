"""Knows how a tenant's secrets lie in the database: sealed by its keyset, bound to their place."""

import struct
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ai_agent_mesh.plumbing.crypto.facts import SealBroken
from ai_agent_mesh.plumbing.crypto.master import MasterKey

if TYPE_CHECKING:
    from ai_agent_mesh.plumbing.crypto.keysets import Keysets

_PLACE_FORMAT = b"mesh vault v1"


class TenantTx(Protocol):
    """A transaction fixed to one tenant, as the vault needs it."""

    @property
    def tenant_id(self) -> str: ...

    async def fetchval(self, sql: str, *args: object) -> object: ...

    async def execute(self, sql: str, *args: object) -> object: ...


class Vault:
    """Seals and opens values of a tenant's rows (AES-256-GCM by tink).

    The keyset is read in the caller's transaction every time and only its unwrapping is remembered:
    a keyset whose transaction rolled back is never used again, and deleting one shreds its values.
    """

    def __init__(self, master: MasterKey) -> None:
        self._master = master

    # tink takes a tenth of a second to import, and most commands open nothing that is sealed.
    @cached_property
    def keysets(self) -> "Keysets":
        """Return what makes and opens keysets."""
        from ai_agent_mesh.plumbing.crypto.keysets import Keysets

        return Keysets(self._master)

    async def seal(
        self, tx: TenantTx, table: str, column: str, row_key: str, plaintext: bytes
    ) -> bytes:
        """Return the sealed value for this place; it opens nowhere else.

        The first seal of a tenant makes its keyset.
        """
        wrapped = await self._find(tx) or await self._make(tx)
        place = place_of(tx.tenant_id, table, column, row_key)
        return self.keysets.seal(tx.tenant_id, wrapped, plaintext, place)

    async def open(
        self, tx: TenantTx, table: str, column: str, row_key: str, sealed: bytes
    ) -> bytes:
        """Return the plaintext of a value sealed for this place.

        Raises:
            SealBroken: it was sealed for another place, changed, or its keyset is gone.
        """
        wrapped = await self._find(tx)
        if wrapped is None:
            raise SealBroken(table=table, column=column)
        place = place_of(tx.tenant_id, table, column, row_key)
        plaintext = self.keysets.open(tx.tenant_id, wrapped, sealed, place)
        if plaintext is None:
            raise SealBroken(table=table, column=column)
        return plaintext

    async def _find(self, tx: TenantTx) -> bytes | None:
        wrapped = await tx.fetchval(
            "SELECT wrapped FROM tenant_keyset WHERE tenant_id = $1", tx.tenant_id
        )
        return wrapped if isinstance(wrapped, bytes) else None

    async def _make(self, tx: TenantTx) -> bytes:
        wrapped = self.keysets.make(tx.tenant_id)
        # Of two transactions that make the first keyset at once, the second waits here and
        # then uses the first's.
        await tx.execute(
            "INSERT INTO tenant_keyset (tenant_id, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            tx.tenant_id,
            wrapped,
        )
        stored = await self._find(tx)
        if stored is None:
            raise RuntimeError(
                "the keyset just written cannot be read: row-level security hides it"
            )
        return stored


def place_of(*parts: str) -> bytes:
    """Encode a place as additional data: each part after its length, so no two look alike.

    >>> place_of("ab", "c") == place_of("a", "bc")
    False
    """
    encoded = (part.encode() for part in parts)
    return _PLACE_FORMAT + b"".join(struct.pack(">I", len(part)) + part for part in encoded)
