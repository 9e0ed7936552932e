"""What is said, under a signature, of all that one tenant's ledger holds of a span."""

import base64
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import msgspec

from ai_agent_mesh.evidence.fields import Moment, Whole

_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Signs(Protocol):
    """What signs: the ledger's own key."""

    key_id: str
    public_bytes: bytes

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of a message."""
        ...


class TenantHead(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="head"):
    """Which numbers a tenant's entries of a span have, and the root over all of them.

    The entries run from the first to the last number without a gap; `entries` of them were
    completed inside the span. The root is over their leaf hashes, which are those of the batches.
    Of no entries both numbers are 0 and the root is SHA-256 of nothing.
    """

    tenant: str
    since: Moment
    until: Moment
    first_number: Whole
    last_number: Whole
    entries: Whole
    root: bytes
    at: Moment
    key_id: str
    signature: bytes = b""

    @property
    def text(self) -> bytes:
        """Return what the signature covers: eight lines, each ended by a line feed."""
        return _lines(
            "ai-agent-mesh ledger head v1",
            self.tenant,
            f"{_time(self.since)} {_time(self.until)}",
            f"{self.first_number} {self.last_number}",
            str(self.entries),
            _base64(self.root),
            _time(self.at),
            self.key_id,
        )


class MinutesSeal(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="seal"):
    """That so many lines of minutes, with this SHA-256 over them all, are a span's roll-ups."""

    tenant: str
    since: Moment
    until: Moment
    lines: Whole
    digest: bytes
    key_id: str
    signature: bytes = b""

    @property
    def text(self) -> bytes:
        """Return what the signature covers: six lines, each ended by a line feed."""
        return _lines(
            "ai-agent-mesh minutes v1",
            self.tenant,
            f"{_time(self.since)} {_time(self.until)}",
            str(self.lines),
            _base64(self.digest),
            self.key_id,
        )


Sealed = TypeVar("Sealed", TenantHead, MinutesSeal)


def sealed(piece: Sealed, signer: Signs) -> Sealed:
    """Return a piece with its signature; its `key_id` must be the signer's."""
    return msgspec.structs.replace(piece, signature=signer.sign(piece.text))


def _lines(*lines: str) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_MOMENT)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
