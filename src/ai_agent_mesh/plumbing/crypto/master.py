"""Knows the one secret of an installation, and how every other key comes from it."""

import hmac
import secrets
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ai_agent_mesh.plumbing.crypto import keyfiles

KEY_BYTES = 32


class MasterKey:
    """The root secret: 32 random bytes, used for nothing but deriving keys under labels."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes, not {len(secret)}")
        self._secret = secret

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the key file, or create it with mode 0600.

        Raises:
            KeyFileExposed: others may read or write the file.
            KeyFileBroken: it does not hold 32 bytes.
        """
        secret = keyfiles.load_or_create(path, lambda: secrets.token_bytes(KEY_BYTES))
        if len(secret) != KEY_BYTES:
            raise keyfiles.KeyFileBroken(path=str(path))
        return cls(secret)

    def derive(self, label: bytes) -> bytes:
        """Return the 32-byte key of this label (HKDF-SHA-256, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label).derive(
            self._secret
        )

    def __repr__(self) -> str:
        return "MasterKey(...)"


class KeyedHash:
    """HMAC-SHA-256 under one key: what is stored in place of a secret of high entropy."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, secret: bytes) -> bytes:
        """Return the 32-byte keyed hash of a secret."""
        return hmac.digest(self._key, secret, "sha256")

    def matches(self, secret: bytes, digest: bytes) -> bool:
        """Tell whether the secret has this digest, in a time that says nothing about it."""
        return hmac.compare_digest(self.digest(secret), digest)

    def __repr__(self) -> str:
        return "KeyedHash(...)"
