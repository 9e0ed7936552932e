"""Knows how the ledger is signed: one Ed25519 key in a file, checked by its public half."""

from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ai_agent_mesh.evidence import key_id_of
from ai_agent_mesh.plumbing.crypto import keyfiles


class Signer:
    """An Ed25519 private key that signs and tells its public half."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_bytes: bytes = key.public_key().public_bytes_raw()
        self.key_id: str = key_id_of(self.public_bytes)

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the PEM (PKCS #8) key file, or create it with mode 0600.

        Raises:
            KeyFileExposed: others may read or write the file.
            KeyFileBroken: it does not hold an Ed25519 private key.
        """
        pem = keyfiles.load_or_create(path, _new_pem)
        try:
            key = load_pem_private_key(pem, password=None)
        except ValueError as broken:
            raise keyfiles.KeyFileBroken(path=str(path)) from broken
        if not isinstance(key, Ed25519PrivateKey):
            raise keyfiles.KeyFileBroken(path=str(path))
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of the message (RFC 8032)."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"Signer({self.key_id})"


def _new_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
