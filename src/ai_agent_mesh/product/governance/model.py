"""Questions put to the gate, its decisions, and the policies they come from."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import httpx
import msgspec

from ai_agent_mesh.product.governance.facts import EndpointMalformed
from ai_agent_mesh.product.governance.ports import Caller

#: An attribute of a request that policies may ask for by name.
Known = str | int | bool
_PORTS = {"https": 443, "http": 80}


class Action(StrEnum):
    """What somebody wants to do."""

    INVOKE_AGENT = "invokeAgent"
    CALL_HTTP = "callHttp"
    START_RUN = "startRun"


class Effect(StrEnum):
    """What a policy does when it applies."""

    PERMIT = "permit"
    FORBID = "forbid"


class ActorRef(msgspec.Struct, frozen=True, tag="Actor", tag_field="type", kw_only=True):
    """A person or a key; `id` is theirs."""

    id: str
    role: str

    @classmethod
    def of(cls, caller: Caller) -> "ActorRef":
        """Describe the authenticated caller of a request."""
        return cls(id=caller.actor_id, role=str(caller.role))


class WorkflowRef(msgspec.Struct, frozen=True, tag="Workflow", tag_field="type", kw_only=True):
    """A workflow, as one who acts or as what a run is started of."""

    name: str
    version: str = ""
    labels: Mapping[str, str] = {}
    started_by: ActorRef | None = None


class AgentRef(msgspec.Struct, frozen=True, tag="Agent", tag_field="type", kw_only=True):
    """An agent that is to be called."""

    id: str
    name: str
    kind: str
    labels: Mapping[str, str] = {}


class EndpointRef(msgspec.Struct, frozen=True, tag="Endpoint", tag_field="type", kw_only=True):
    """An address outside that is to be called."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    method: str = "GET"

    @classmethod
    def of(cls, url: str, method: str = "GET") -> "EndpointRef":
        """Take apart an absolute http or https URL, the way the client that sends it does.

        Raises:
            EndpointMalformed: it is none, or its path climbs (`..`), so that a policy about paths
                could be led around.

        >>> EndpointRef.of("https://API.example.com/%61dmin?q=1").path
        '/admin'
        """
        try:
            parts = httpx.URL(url)
        except (httpx.InvalidURL, TypeError) as error:
            raise EndpointMalformed(url=url[:200]) from error
        port = parts.port or _PORTS.get(parts.scheme, 0)
        climbs = ".." in re.split(r"[/\\]", parts.path)
        if not 0 < port < 65_536 or parts.scheme not in _PORTS or not parts.raw_host or climbs:
            raise EndpointMalformed(url=url[:200])
        return cls(
            scheme=parts.scheme,
            host=parts.raw_host.decode("ascii").rstrip("."),
            port=port,
            path=parts.path or "/",
            method=method.upper(),
        )


class Context(msgspec.Struct, frozen=True):
    """What else is known: the tenant's tier, and facts of the request by name."""

    tier: str = ""
    facts: Mapping[str, Known] = {}


class Question(msgspec.Struct, frozen=True):
    """May `principal` do `action` to `resource`?"""

    principal: ActorRef | WorkflowRef
    action: Action
    resource: AgentRef | EndpointRef | WorkflowRef
    context: Context = Context()


class PolicyRef(msgspec.Struct, frozen=True):
    """Which policy, in which of its versions."""

    id: str
    name: str
    version: int
    effect: Effect


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate said, why, by which policies, and how long it took."""

    allowed: bool
    determining: tuple[str, ...]
    policies: tuple[PolicyRef, ...]
    reasons: tuple[str, ...]
    duration_us: int
    policy_version: int


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it stands now."""

    id: str
    name: str
    text: str
    description: str
    enabled: bool
    version: int
    updated_at: datetime
    updated_by: str | None


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it stood after one change; never changed again."""

    id: str
    name: str
    version: int
    text: str
    description: str
    enabled: bool
    deleted: bool
    set_version: int
    at: datetime
    by: str | None
