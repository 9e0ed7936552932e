"""What a batch is and the exact statement about it that is signed."""

import base64
from datetime import UTC
from hashlib import sha256

import msgspec

from ai_agent_mesh.evidence.fields import Moment, Whole

#: `previous` of the first batch.
NO_STATEMENT = bytes(32)


class Batch(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="batch"):
    """Entries that were numbered together, under one root and one signature."""

    batch: Whole
    first_seq: Whole
    last_seq: Whole
    #: RFC 6962 root over the leaves in the order of their sequence numbers.
    root: bytes
    #: SHA-256 of the statement of the batch before.
    previous: bytes
    #: Digest of the playbook in force: that of a month's last moment judges the next month.
    playbook: str
    #: When it was numbered, UTC.
    at: Moment
    key_id: str
    signature: bytes = b""

    @property
    def statement(self) -> bytes:
        """Return the text that the signature covers: eight lines, each ended by a line feed."""
        lines = (
            "ai-agent-mesh ledger batch v1",
            str(self.batch),
            f"{self.first_seq} {self.last_seq}",
            _text(self.root),
            _text(self.previous),
            self.playbook,
            self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            self.key_id,
        )
        return "".join(line + "\n" for line in lines).encode()

    @property
    def link(self) -> bytes:
        """Return the hash that the next batch carries as its `previous`."""
        return sha256(self.statement).digest()

    @property
    def size(self) -> int:
        """Return how many entries it holds."""
        return self.last_seq - self.first_seq + 1


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
