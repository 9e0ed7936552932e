"""What an agent is: where it answers, how it is called, what it costs, and how it fares."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from ai_agent_mesh.product.governance import ActorRef, WorkflowRef

Json = Any  # whatever JSON a caller or an agent speaks; it is passed on, never looked into


class Kind(StrEnum):
    """The language an agent speaks."""

    A2A = "a2a"
    HTTP = "http"
    OPENAI = "openai"


class HealthState(StrEnum):
    """What the last checks found."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state, and how it came about."""

    state: HealthState = HealthState.UNKNOWN
    consecutive_failures: int = 0
    error: str | None = None
    checked_at: datetime | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a thousand tokens cost, in and out."""

    input_per_1k: Decimal = Decimal(0)
    output_per_1k: Decimal = Decimal(0)
    currency: str = "USD"


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The header that opens an agent's door. Its value shows nowhere, not even in a traceback."""

    value: str
    header: str = "Authorization"
    scheme: str | None = "Bearer"

    @property
    def headers(self) -> dict[str, str]:
        """Return it as a request header."""
        words = f"{self.scheme} {self.value}" if self.scheme else self.value
        return {self.header: words}

    def __repr__(self) -> str:
        return f"Credential(header={self.header!r})"


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent as somebody wants it, not checked yet."""

    kind: Kind
    url: str
    name: str | None = None
    description: str | None = None
    labels: dict[str, str] = {}
    model: str | None = None
    system_prompt: str | None = None
    credential: Credential | None = None
    idempotent: bool = False
    timeout_s: float | None = None
    price: Price | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merge patch (RFC 7396): what is absent stays, what is null goes."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    labels: dict[str, str | None] | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    system_prompt: str | msgspec.UnsetType | None = msgspec.UNSET
    credential: Credential | msgspec.UnsetType | None = msgspec.UNSET
    idempotent: bool | msgspec.UnsetType = msgspec.UNSET
    timeout_s: float | msgspec.UnsetType | None = msgspec.UNSET
    price: Price | msgspec.UnsetType | None = msgspec.UNSET


class Card(msgspec.Struct, frozen=True):
    """An A2A agent card that was read and understood."""

    url: str
    name: str
    description: str
    content: dict[str, Json]


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A registered agent; its credential stays sealed in the store."""

    id: str
    name: str
    kind: Kind
    url: str
    description: str
    labels: Mapping[str, str]
    model: str | None
    system_prompt: str | None
    idempotent: bool
    timeout_s: float | None
    price: Price | None
    card: dict[str, Json] | None
    card_read_at: datetime | None
    credential_set: bool
    health: Health
    version: int
    created_at: datetime
    updated_at: datetime


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which agents a list is of; None leaves an aspect open."""

    kind: Kind | None = None
    labels: Mapping[str, str] = {}
    health: HealthState | None = None
    name_prefix: str | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """All that a caller needs to reach an agent."""

    kind: Kind
    url: str
    model: str | None = None
    system_prompt: str | None = None
    card: dict[str, Json] | None = None
    credential: Credential | None = None


class Message(msgspec.Struct, frozen=True):
    """What is said to an agent: a text, or any other JSON."""

    input: Json


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent said, and the tokens it says it used (None when it says nothing)."""

    output: Json
    text: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str | None = None


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf an agent is called, and inside which run."""

    principal: ActorRef | WorkflowRef
    tier: str
    workflow: str | None = None
    run_id: str | None = None


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """One wish to call an agent; `attempts` is the most tries, `timeout_s` covers all of them."""

    input: Json
    timeout_s: float | None = None
    idempotency_key: str | None = None
    attempts: int = 3
    facts: Mapping[str, str | int | bool] = {}


class Usage(msgspec.Struct, frozen=True):
    """Tokens that were used."""

    input_tokens: int
    output_tokens: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an invocation."""

    output: Json
    text: str
    usage: Usage | None
    cost: Decimal | None
    attempts: int
    trace_id: str
