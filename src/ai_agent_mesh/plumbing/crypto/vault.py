"""Knows how a tenant's secrets lie in the database: sealed by its keyset, bound to their place."""

import struct
from functools import lru_cache
from typing import Protocol

import tink
from tink import aead, secret_key_access
from tink.proto import aes_gcm_pb2, tink_pb2

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.crypto.master import MasterKey

aead.register()

_WRAPPING_LABEL = b"mesh vault keyset wrapping v1"
_PLACE_FORMAT = b"mesh vault v1"
_OPENED_KEYSETS = 1024


class SealBroken(Unavailable):
    "A sealed value of {table}.{column} does not open: moved, altered, or of another key."


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
        self._wrapping = _wrapping_key(master)
        self._unwrap = lru_cache(maxsize=_OPENED_KEYSETS)(self._unwrap_keyset)

    async def seal(
        self, tx: TenantTx, table: str, column: str, row_key: str, plaintext: bytes
    ) -> bytes:
        """Return the sealed value for this place; it opens nowhere else.

        The first seal of a tenant makes its keyset.
        """
        wrapped = await self._find(tx) or await self._make(tx)
        place = place_of(tx.tenant_id, table, column, row_key)
        return bytes(self._unwrap(tx.tenant_id, wrapped).encrypt(plaintext, place))

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
        try:
            return bytes(self._unwrap(tx.tenant_id, wrapped).decrypt(sealed, place))
        except tink.TinkError as refused:
            raise SealBroken(table=table, column=column) from refused

    async def _find(self, tx: TenantTx) -> bytes | None:
        wrapped = await tx.fetchval(
            "SELECT wrapped FROM tenant_keyset WHERE tenant_id = $1", tx.tenant_id
        )
        return wrapped if isinstance(wrapped, bytes) else None

    async def _make(self, tx: TenantTx) -> bytes:
        handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
        wrapped = tink.proto_keyset_format.serialize_encrypted(
            handle, self._wrapping, tx.tenant_id.encode()
        )
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

    def _unwrap_keyset(self, tenant_id: str, wrapped: bytes) -> aead.Aead:
        try:
            handle = tink.proto_keyset_format.parse_encrypted(
                wrapped, self._wrapping, tenant_id.encode()
            )
        except tink.TinkError as refused:
            raise SealBroken(table="tenant_keyset", column="wrapped") from refused
        return handle.primitive(aead.Aead)


def place_of(*parts: str) -> bytes:
    """Encode a place as additional data: each part after its length, so no two look alike.

    >>> place_of("ab", "c") == place_of("a", "bc")
    False
    """
    encoded = (part.encode() for part in parts)
    return _PLACE_FORMAT + b"".join(struct.pack(">I", len(part)) + part for part in encoded)


def _wrapping_key(master: MasterKey) -> aead.Aead:
    """Return the key that wraps keysets; a KMS client's `get_aead(uri)` gives the same type."""
    secret = master.derive(_WRAPPING_LABEL)
    key_id = int.from_bytes(master.derive(_WRAPPING_LABEL + b" id")[:4]) or 1
    keyset = tink_pb2.Keyset(
        primary_key_id=key_id,
        key=[
            tink_pb2.Keyset.Key(
                key_data=tink_pb2.KeyData(
                    type_url="type.googleapis.com/google.crypto.tink.AesGcmKey",
                    value=aes_gcm_pb2.AesGcmKey(key_value=secret).SerializeToString(),
                    key_material_type=tink_pb2.KeyData.SYMMETRIC,
                ),
                status=tink_pb2.ENABLED,
                key_id=key_id,
                output_prefix_type=tink_pb2.TINK,
            )
        ],
    )
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(aead.Aead)
