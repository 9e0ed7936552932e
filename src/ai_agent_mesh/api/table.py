"""The one table of routes: what each is called, whose figures it counts in, who may take it.

A template such as `/v1/agents/{agent_id}:invoke` is what the caller writes. Routers split paths at
slashes alone, so inside the house the verb is a segment: `/v1/agents/{agent_id}/-/invoke`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ai_agent_mesh.sla import Category, Service

#: Paths that count as API calls; everything else (pages, probes of a load balancer) does not.
COUNTED = ("/v1", "/oauth", "/a2a", "/mcp")


@dataclass(frozen=True, slots=True)
class Route:
    """One row: a method and path, and what the house needs to know of it."""

    method: str
    template: str
    service: Service
    category: Category
    #: The permission it takes; None lets any authenticated caller in.
    permission: str | None
    #: A creating call remembers its answer under the caller's Idempotency-Key.
    creates: bool = False
    #: The answer holds a secret that is shown once and never stored.
    secret: bool = False
    #: The body is a text of the route's own (YAML, say), not JSON.
    text: bool = False

    @property
    def name(self) -> str:
        """Return it as the ledger and the metrics write it."""
        return f"{self.method} {self.template}"

    @property
    def inner(self) -> str:
        """Return its path inside the house."""
        return inner_path(self.template)


@dataclass(frozen=True, slots=True)
class Match:
    """What the table knows of a request's path: its route, or the methods it has, or nothing."""

    route: Route | None
    allowed: tuple[str, ...] = ()


#: What the table knows of a path that is not in it.
NOTHING = Match(None)


def _rows(service: Service, category: Category, text: str) -> Iterator[Route]:
    """Read rows of `METHOD template permission [marks]`; `-` asks for no permission."""
    for line in text.strip().splitlines():
        method, template, permission, *marks = line.split()
        yield Route(
            method,
            template,
            service,
            category,
            None if permission == "-" else permission,
            creates="creates" in marks,
            secret="secret" in marks,
            text="text" in marks,
        )


ROUTES: tuple[Route, ...] = (
    *_rows(
        Service.API,
        Category.AUTHENTICATION,
        """
        GET     /v1/auth/whoami                  -
        POST    /v1/auth/rotate                  -                  creates secret
        POST    /v1/keys                         keys:write         creates secret
        GET     /v1/keys                         keys:read
        DELETE  /v1/keys/{key_id}                keys:write
        """,
    ),
    *_rows(
        Service.API,
        Category.OTHER,
        """
        GET     /v1/tenant                       tenant:read
        POST    /v1/tenants                      platform:tenants   creates secret
        GET     /v1/tenants                      platform:tenants
        GET     /v1/tenants/{tenant_id}          platform:tenants
        PATCH   /v1/tenants/{tenant_id}          platform:tenants
        POST    /v1/users                        users:write        creates
        GET     /v1/users                        users:read
        GET     /v1/users/{user_id}              users:read
        PATCH   /v1/users/{user_id}              users:write
        DELETE  /v1/users/{user_id}              users:write
        GET     /v1/ledger/entries               ledger:read
        GET     /v1/ledger/key                   ledger:read
        GET     /v1/alerts                       platform:read
        GET     /v1/slos                         sla:read
        GET     /v1/sla/statements/{month}       sla:read
        GET     /v1/sla/credits                  sla:read
        POST    /v1/subscriptions                subscriptions:write  creates secret
        GET     /v1/subscriptions                subscriptions:read
        GET     /v1/subscriptions/{subscription_id}  subscriptions:read
        DELETE  /v1/subscriptions/{subscription_id}  subscriptions:write
        POST    /v1/amendments                   platform:write     creates
        GET     /v1/amendments                   sla:read
        POST    /v1/maintenance                  platform:write     creates
        GET     /v1/maintenance                  maintenance:read
        GET     /v1/maintenance/{maintenance_id}         maintenance:read
        POST    /v1/maintenance/{maintenance_id}:cancel  platform:write
        POST    /v1/incidents                    platform:write     creates
        GET     /v1/incidents                    incidents:read
        GET     /v1/incidents/{incident_id}      incidents:read
        PATCH   /v1/incidents/{incident_id}      platform:write
        POST    /v1/incidents/{incident_id}:resolve      platform:write
        """,
    ),
    *_rows(
        Service.API,
        Category.AGENT_CRUD,
        """
        POST    /v1/agents                       agents:write       creates
        GET     /v1/agents                       agents:read
        GET     /v1/agents/{agent_id}            agents:read
        PATCH   /v1/agents/{agent_id}            agents:write
        DELETE  /v1/agents/{agent_id}            agents:write
        POST    /v1/agents/{agent_id}:refresh    agents:write
        """,
    ),
    *_rows(
        Service.API,
        Category.OTHER,
        """
        POST    /v1/agents/{agent_id}:invoke     agents:invoke
        """,
    ),
    *_rows(
        Service.ORCHESTRATION,
        Category.WORKFLOW_EXECUTION,
        """
        POST    /v1/workflows                    workflows:write    creates text
        GET     /v1/workflows                    workflows:read
        GET     /v1/workflows/{name}             workflows:read
        DELETE  /v1/workflows/{name}             workflows:write
        POST    /v1/workflows/{name}/runs        runs:start         creates
        GET     /v1/runs                         runs:read
        GET     /v1/runs/{run_id}                runs:read
        POST    /v1/runs/{run_id}:cancel         runs:control
        POST    /v1/runs/{run_id}:resume         runs:control
        GET     /v1/approvals                    approvals:read
        GET     /v1/approvals/{approval_id}      approvals:read
        POST    /v1/approvals/{approval_id}:approve  approvals:decide
        POST    /v1/approvals/{approval_id}:reject   approvals:decide
        """,
    ),
    *_rows(
        Service.ORCHESTRATION,
        Category.OTHER,
        """
        GET     /v1/probe/runs/{run_id}          runs:read
        """,
    ),
    *_rows(
        Service.GOVERNANCE,
        Category.POLICY_EVALUATION,
        """
        POST    /v1/policies:evaluate            policies:evaluate
        """,
    ),
    *_rows(
        Service.GOVERNANCE,
        Category.OTHER,
        """
        GET     /v1/policies                     policies:read
        GET     /v1/policies/schema              policies:read
        PUT     /v1/policies/{name}              policies:write
        GET     /v1/policies/{name}              policies:read
        DELETE  /v1/policies/{name}              policies:write
        GET     /v1/policies/{name}/versions     policies:read
        """,
    ),
    *_rows(
        Service.TELEMETRY,
        Category.TELEMETRY_QUERY,
        """
        GET     /v1/telemetry/usage              telemetry:read
        GET     /v1/telemetry/series             telemetry:read
        GET     /v1/telemetry/percentiles        telemetry:read
        GET     /v1/telemetry/spans              telemetry:read
        GET     /v1/telemetry/traces/{trace_id}  telemetry:read
        """,
    ),
)


def counted(path: str) -> bool:
    """Tell whether a path belongs to an API call: `/v1/agents` does, `/status` does not.

    The router inside reads over doubled and trailing slashes, so they open no way past the door.

    >>> counted("/v1/agents"), counted("/v1"), counted("/v10"), counted("/livez")
    (True, True, False, False)
    >>> counted("//v1/agents"), counted("/v1//agents"), counted("/v1/"), counted("//livez")
    (True, True, True, False)
    """
    return f"/{path.lstrip('/')}/".startswith(_COUNTED)


_COUNTED = tuple(f"{prefix}/" for prefix in COUNTED)


def inner_path(path: str) -> str:
    """Return the path inside the house: the verb after the last segment's colon is a segment.

    >>> inner_path("/v1/agents/agt_1:invoke")
    '/v1/agents/agt_1/-/invoke'
    >>> inner_path("/v1/agents")
    '/v1/agents'

    The segment has no second way in: outside, a verb is written with its colon.

    >>> inner_path("/v1/agents/agt_1/-/invoke")
    ''
    """
    if "/-/" in path:
        return ""
    head, colon, verb = path.rpartition(":")
    return f"{head}/-/{verb}" if colon and "/" not in verb else path


def service_of(path: str) -> Service:
    """Return the service that answers for a path that no route matches."""
    return next((s for prefix, s in _OWNERS if path.startswith(prefix)), Service.API)


def judged_pairs() -> frozenset[tuple[str, str]]:
    """Return every service and category that a call may be counted under."""
    refused = [(service, Category.OTHER) for service in Service]
    routed = [(route.service, route.category) for route in ROUTES]
    return frozenset((service.value, category.value) for service, category in refused + routed)


_OWNERS = tuple(
    (prefix, service)
    for service, prefixes in {
        Service.ORCHESTRATION: ("/v1/workflows", "/v1/runs", "/v1/approvals"),
        Service.GOVERNANCE: ("/v1/policies",),
        Service.TELEMETRY: ("/v1/telemetry",),
    }.items()
    for prefix in prefixes
)


class Table:
    """Finds the route of a request among rows, a fixed segment before a parameter."""

    def __init__(self, routes: Iterable[Route] = ROUTES) -> None:
        self._root = _Place()
        for route in routes:
            place = self._root
            for part in route.inner.split("/")[1:]:
                place = place.below.setdefault("" if part.startswith("{") else part, _Place())
            place.routes[route.method] = route

    def match(self, method: str, inner: str) -> Match:
        """Return what stands in the table for a method and an inner path."""
        segments = inner.split("/")[1:]
        # The router inside would read over an empty segment; here it names nothing.
        place = None if "" in segments else self._root.find(segments, 0)
        if place is None:
            return NOTHING
        route = place.routes.get("GET" if method == "HEAD" else method)
        return Match(route, tuple(sorted(place.routes)))


@dataclass(frozen=True, slots=True)
class _Place:
    """A path's place in the table: its routes by method, and what is below; "" is a parameter."""

    routes: dict[str, Route] = field(default_factory=dict)
    below: "dict[str, _Place]" = field(default_factory=dict)

    def find(self, segments: Sequence[str], at: int) -> "_Place | None":
        """Return the place of the segments from `at` on, if there is one with routes."""
        if at == len(segments):
            return self if self.routes else None
        for name in (segments[at], ""):
            below = self.below.get(name)
            found = None if below is None else below.find(segments, at + 1)
            if found is not None:
                return found
        return None
