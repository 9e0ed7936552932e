"""Puts a question into Cedar's words and reads its answer; whatever is not a clear yes is a no."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cedarpy

from ai_agent_mesh.product.governance.model import (
    ActorRef,
    AgentRef,
    EndpointRef,
    Known,
    PolicyRef,
    Question,
    WorkflowRef,
)
from ai_agent_mesh.product.governance.places import schema

_Entity = dict[str, Any]  # Cedar's JSON format of entities
_ERRED = re.compile(r"^error while evaluating policy `([^`]+)`: (.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in Cedar's JSON format."""

    action: str
    principal: Mapping[str, str]
    resource: Mapping[str, str]
    resource_attributes: Mapping[str, object]
    context: Mapping[str, object]
    entities: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the engine said: the ids of the policies that decided, and what went wrong."""

    allowed: bool
    determining: tuple[str, ...]
    errors: tuple[tuple[str | None, str], ...]


def asked(question: Question, tenant: str, at: datetime) -> Asked:
    """Put a question of a tenant, asked at a moment, into Cedar's words."""
    principal = _entity(question.principal, tenant)
    resource = _entity(question.resource, tenant)
    facts, figures = _facts(question.context.facts)
    entities = [principal, resource, facts, figures]
    starter = getattr(question.principal, "started_by", None)
    if starter is not None:
        entities.append(_entity(starter, tenant))
    other = getattr(question.resource, "started_by", None)
    if other is not None:
        entities.append(_entity(other, tenant))
    return Asked(
        action=question.action.value,
        principal=principal["uid"],
        resource=resource["uid"],
        resource_attributes=resource["attrs"],
        context={
            "tier": question.context.tier,
            "hour": at.hour,
            "weekday": at.isoweekday(),
            "facts": {"__entity": facts["uid"]},
            "figures": {"__entity": figures["uid"]},
        },
        entities=json.dumps(_distinct(entities)),
    )


def judged(question: Asked, policies: cedarpy.PolicySet) -> Verdict:
    """Evaluate; an error anywhere is a no, because Cedar would go on without that policy."""
    request = {
        "principal": question.principal,
        "action": {"type": "Mesh::Action", "id": question.action},
        "resource": question.resource,
        "context": question.context,
    }
    result = cedarpy.is_authorized(request, policies, question.entities, schema())
    errors = tuple(_error(text) for text in result.diagnostics.errors)
    if not errors and result.decision is cedarpy.Decision.NoDecision:
        errors = ((None, "the engine reached no decision"),)
    if errors:
        return Verdict(False, tuple(key for key, _ in errors if key), errors)
    return Verdict(result.allowed, tuple(sorted(result.diagnostics.reasons)), ())


def reasons(
    question: Asked, verdict: Verdict, ref: Callable[[str], PolicyRef | None]
) -> tuple[str, ...]:
    """Say why, in sentences that name each policy and its version."""
    if verdict.errors:
        return tuple(_failure(ref(key) if key else None, text) for key, text in verdict.errors)
    named = [found for key in verdict.determining if (found := ref(key))]
    if named:
        word = "permitted" if verdict.allowed else "forbidden"
        return tuple(f"{word} by policy {one.name}, version {one.version}" for one in named)
    return (f"no policy permits {question.action} here, and what is not permitted is denied",)


def _failure(ref: PolicyRef | None, text: str) -> str:
    what = f"policy {ref.name}, version {ref.version}" if ref else "the question"
    return f"{what} could not be evaluated, which is a denial: {text}"


def _error(text: str) -> tuple[str | None, str]:
    found = _ERRED.match(text)
    return (found[1], found[2]) if found else (None, text)


def _entity(ref: ActorRef | WorkflowRef | AgentRef | EndpointRef, tenant: str) -> _Entity:
    match ref:
        case ActorRef():
            kind = "key" if ref.id.startswith("key_") else "user"
            return _made("Actor", ref.id, {"role": ref.role, "kind": kind, "tenant": tenant})
        case WorkflowRef():
            attrs: _Entity = {"name": ref.name, "version": ref.version, "tenant": tenant}
            if ref.started_by is not None:
                attrs["startedBy"] = {"__entity": {"type": "Mesh::Actor", "id": ref.started_by.id}}
            return _made("Workflow", ref.name, attrs, ref.labels)
        case AgentRef():
            attrs = {"name": ref.name, "kind": ref.kind, "tenant": tenant}
            return _made("Agent", ref.id, attrs, ref.labels)
        case EndpointRef():
            attrs = {
                "scheme": ref.scheme, "host": ref.host, "port": ref.port, "path": ref.path,
                "method": ref.method, "tenant": tenant,
            }  # fmt: skip
            return _made("Endpoint", f"{ref.scheme}://{ref.host}:{ref.port}{ref.path}", attrs)


def _made(
    kind: str, name: str, attrs: _Entity, tags: Mapping[str, object] | None = None
) -> _Entity:
    made: _Entity = {"uid": {"type": f"Mesh::{kind}", "id": name}, "attrs": attrs, "parents": []}
    if tags:
        made["tags"] = dict(tags)
    return made


def _facts(facts: Mapping[str, Known]) -> tuple[_Entity, _Entity]:
    """Sort facts by kind: whole numbers to Figures, the rest to Facts as text."""
    texts: dict[str, object] = {}
    numbers: dict[str, object] = {}
    for name, value in facts.items():
        if isinstance(value, bool):
            texts[name] = "true" if value else "false"
        elif isinstance(value, int):
            numbers[name] = value
        else:
            texts[name] = value
    return _made("Facts", "request", {}, texts), _made("Figures", "request", {}, numbers)


def _distinct(entities: Sequence[_Entity]) -> list[_Entity]:
    """Leave out repetitions: Cedar takes an entity once, and refuses two that differ."""
    return [each for at, each in enumerate(entities) if each not in entities[:at]]
