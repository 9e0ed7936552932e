"""How a key is written: `mesh_`, its id, `_`, a 256-bit secret, and a checksum against typos."""

import re
import secrets
import zlib
from dataclasses import dataclass

SECRET_BITS = 256
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 43  # the fewest base-62 digits that hold 256 bits
_CHECKSUM_LENGTH = 6  # the fewest that hold 32 bits
_SHAPE = re.compile(
    r"mesh_(?P<id>[0-7][0-9a-hjkmnp-tv-z]{25})_(?P<secret>[0-9A-Za-z]{43})(?P<sum>[0-9A-Za-z]{6})"
)


@dataclass(frozen=True, slots=True, repr=False)
class KeyText:
    """A key as its holder has it."""

    key_id: str
    secret: str

    @property
    def text(self) -> str:
        """Return what the holder keeps: shown once, stored nowhere."""
        body = f"mesh_{self.key_id.removeprefix('key_')}_{self.secret}"
        return body + _checksum(body)

    @property
    def material(self) -> bytes:
        """Return what the keyed hash is taken of: the secret, bound to its id."""
        return f"{self.key_id}:{self.secret}".encode()

    def __repr__(self) -> str:
        return f"KeyText({self.key_id}, ...)"


def draw(key_id: str) -> KeyText:
    """Return a key with a fresh random secret for an id `key_…`."""
    return KeyText(key_id, _base62(secrets.randbits(SECRET_BITS), _SECRET_LENGTH))


def read(text: str) -> KeyText | None:
    """Return the key that is written here, or None: wrong shape, or a checksum that differs.

    CRC-32 finds every change that lies within 32 bits, so every single mistyped character.
    """
    found = _SHAPE.fullmatch(text)
    if found is None or _checksum(text[:-_CHECKSUM_LENGTH]) != found["sum"]:
        return None
    return KeyText(f"key_{found['id']}", found["secret"])


def read_bearer(authorization: str | None) -> KeyText | None:
    """Return the key in an `Authorization` header's value, or None for anything else."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    return read(token.strip(" ")) if scheme.lower() == "bearer" else None


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(value: int, length: int) -> str:
    """Write a number with digits, capitals and small letters.

    >>> _base62(61, 2), _base62(62, 2)
    ('0z', '10')
    """
    digits = []
    for _ in range(length):
        value, digit = divmod(value, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
