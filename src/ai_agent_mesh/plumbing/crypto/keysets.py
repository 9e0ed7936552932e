"""Knows a tenant's keysets as tink makes them: AES-256-GCM, wrapped by the master key."""

from functools import lru_cache

import tink
from tink import aead, secret_key_access
from tink.proto import aes_gcm_pb2, tink_pb2

from ai_agent_mesh.plumbing.crypto.facts import SealBroken
from ai_agent_mesh.plumbing.crypto.master import MasterKey

aead.register()

_WRAPPING_LABEL = b"mesh vault keyset wrapping v1"
_OPENED_KEYSETS = 1024


class Keysets:
    """Makes wrapped keysets, and seals and opens with them; only their unwrapping is remembered."""

    def __init__(self, master: MasterKey) -> None:
        self._wrapping = _wrapping_key(master)
        self._unwrap = lru_cache(maxsize=_OPENED_KEYSETS)(self._unwrap_keyset)

    def make(self, tenant_id: str) -> bytes:
        """Return a new keyset for a tenant, wrapped."""
        handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
        return bytes(
            tink.proto_keyset_format.serialize_encrypted(handle, self._wrapping, tenant_id.encode())
        )

    def seal(self, tenant_id: str, wrapped: bytes, plaintext: bytes, place: bytes) -> bytes:
        """Return plaintext sealed for a place."""
        return bytes(self._unwrap(tenant_id, wrapped).encrypt(plaintext, place))

    def open(self, tenant_id: str, wrapped: bytes, sealed: bytes, place: bytes) -> bytes | None:
        """Return what was sealed for a place; None when it was not, or not by this keyset."""
        unwrapped = self._unwrap(tenant_id, wrapped)
        try:
            return bytes(unwrapped.decrypt(sealed, place))
        except tink.TinkError:
            return None

    def _unwrap_keyset(self, tenant_id: str, wrapped: bytes) -> aead.Aead:
        try:
            handle = tink.proto_keyset_format.parse_encrypted(
                wrapped, self._wrapping, tenant_id.encode()
            )
        except tink.TinkError as refused:
            raise SealBroken(table="tenant_keyset", column="wrapped") from refused
        return handle.primitive(aead.Aead)


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
