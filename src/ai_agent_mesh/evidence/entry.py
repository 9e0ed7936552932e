"""What one ledger entry says, its canonical bytes, and the receipt that a caller keeps of it."""

import base64
import re
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import msgspec

from ai_agent_mesh.kernel.errors import Fault as Mistake
from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.sla import Category, Fault, Service

#: The built-in tenants: the operators, whose acts may concern everybody, and the probe, whose calls
#: are everybody's evidence.
PLATFORM_TENANT = "platform"
PROBE_TENANT = "probe"

_NO_TIME = timedelta(0)
_RECEIPT = re.compile(r"(ent_[0-9a-z]{26}); ?sha-256=([A-Za-z0-9_-]{43})=?")


class EntryUnreadable(Invalid):
    """These bytes are not a ledger entry: {reason}."""


class MalformedReceipt(Invalid):
    """{text!r} is not a receipt of the form ent_…; sha-256=…"""


class Kind(StrEnum):
    """What an entry records; only a `call` counts as an API call."""

    CALL = "call"
    TASK = "task"
    ACT = "act"
    NOTICE = "notice"
    AMENDMENT = "amendment"
    STREAM_CLOSED = "stream_closed"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="v", tag=1):
    """One fact, complete in itself. Its bytes are JSON with sorted keys; defaults are left out."""

    id: str
    kind: Kind
    tenant: str
    #: The moment of completion, UTC.
    at: datetime
    service: Service | None = None
    category: Category | None = None
    #: Method and path template, such as `GET /v1/agents/{agent_id}`.
    route: str | None = None
    method: str | None = None
    path: str | None = None
    status: int | None = None
    fault: Fault = Fault.NONE
    duration_us: int = 0
    #: The platform's own time: `duration_us` less time spent waiting on an agent or upstream.
    latency_us: int = 0
    actor: str | None = None
    role: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    client: str | None = None
    #: The type of the error that was answered.
    reason: str | None = None
    #: The id of what was acted on.
    object: str | None = None
    #: The digest of the playbook that the recording process ran under.
    playbook: str | None = None
    detail: dict[str, str] = {}
    #: Kept in a local file while the database was away, and imported afterwards.
    late: bool = False

    def __post_init__(self) -> None:
        if self.at.utcoffset() != _NO_TIME:
            raise ValueError("at must be an aware moment in UTC")
        if self.kind is Kind.CALL and (self.service is None or self.category is None):
            raise ValueError("a call names its service and category")
        if self.duration_us < 0 or self.latency_us < 0:
            raise ValueError("a duration is never negative")

    @property
    def canonical(self) -> bytes:
        """Return the bytes that are kept verbatim: UTF-8 JSON, keys sorted, no white space."""
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, canonical: bytes) -> "Entry":
        """Read an entry back from its bytes.

        Raises:
            EntryUnreadable: they are not an entry of a version that is known here.
        """
        try:
            return _DECODER.decode(canonical)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EntryUnreadable(reason=str(error)) from error


class Receipt(msgspec.Struct, frozen=True):
    """What a caller keeps to prove later that an entry was promised: its id and its hash."""

    entry_id: str
    #: SHA-256 of the entry's bytes.
    digest: bytes

    @classmethod
    def of(cls, entry_id: str, canonical: bytes) -> "Receipt":
        """Return the receipt for an entry's bytes."""
        return cls(entry_id, sha256(canonical).digest())

    @property
    def header(self) -> str:
        """Return the value of the `Mesh-Receipt` header: `ent_…; sha-256=<base64url>`."""
        text = base64.urlsafe_b64encode(self.digest).rstrip(b"=").decode()
        return f"{self.entry_id}; sha-256={text}"

    @classmethod
    def parse(cls, header: str) -> "Receipt":
        """Read the value of a `Mesh-Receipt` header.

        Raises:
            MalformedReceipt: it is anything else.
        """
        found = _RECEIPT.fullmatch(header.strip())
        if found is None:
            reason = "must be an entry id and a base64url SHA-256"
            raise MalformedReceipt(text=header[:120], faults=[Mistake("receipt", reason)])
        return cls(found[1], base64.urlsafe_b64decode(found[2] + "="))


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(Entry)
