"""How agents look over HTTP and at the console: all but the credential."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.product.agents.model import (
    Agent,
    Filters,
    Health,
    HealthState,
    Invocation,
    Json,
    Kind,
    Price,
    Usage,
)


class FiltersInvalid(Invalid):
    """The list cannot be filtered like this."""


class CredentialView(msgspec.Struct, frozen=True):
    """Whether there is a credential; never which."""

    set: bool


class AgentView(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as its tenant sees it; `card` stands in the answer about one agent only."""

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
    credential: CredentialView
    health: Health
    card_read_at: datetime | None
    card: dict[str, Json] | msgspec.UnsetType | None = msgspec.UNSET
    version: int
    created_at: datetime
    updated_at: datetime


class Invoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said to an agent; `facts` are for the policies to ask about."""

    input: Json
    timeout_s: float | None = None
    idempotency_key: str | None = None
    facts: dict[str, str | int | bool] = {}

    def invocation(self, key: str | None = None) -> Invocation:
        """Return it as the invoker takes it; its own key wins over one that came beside it."""
        return Invocation(
            input=self.input,
            timeout_s=self.timeout_s,
            idempotency_key=self.idempotency_key or key,
            facts=self.facts,
        )


class Invoked(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent answered, what it used, and how often it was asked."""

    output: Json
    text: str
    usage: Usage | None
    cost: Decimal | None
    attempts: int
    trace_id: str


def view(agent: Agent, *, card: bool = False) -> AgentView:
    """Show an agent, with its card when that is asked for."""
    plain = {name: getattr(agent, name) for name in _PLAIN}
    return AgentView(
        **plain,
        credential=CredentialView(agent.credential_set),
        card=agent.card if card else msgspec.UNSET,
    )


_PLAIN = tuple(name for name in AgentView.__struct_fields__ if name not in {"credential", "card"})


def filters_of(
    kind: str | None, labels: Iterable[str], health: str | None, name_prefix: str | None
) -> Filters:
    """Read filters as they are typed, labels as `name=value`; FiltersInvalid names each mistake."""
    faults: list[Fault] = []
    pairs: dict[str, str] = {}
    for label in labels:
        name, sign, value = label.partition("=")
        if not sign or not name:
            faults.append(Fault("label", f"{label[:80]!r} must be name=value"))
        pairs[name] = value
    for place, text, known in (("kind", kind, Kind), ("health", health, HealthState)):
        if text is not None and text not in set(known):
            faults.append(Fault(place, f"must be one of {', '.join(known)}"))
    if name_prefix is not None and ("\0" in name_prefix or len(name_prefix) > 64):
        faults.append(Fault("name_prefix", "must be at most 64 characters"))
    if faults or any("\0" in part for pair in pairs.items() for part in pair):
        raise FiltersInvalid(faults=faults)
    return Filters(
        kind=None if kind is None else Kind(kind),
        labels=pairs,
        health=None if health is None else HealthState(health),
        name_prefix=name_prefix,
    )
