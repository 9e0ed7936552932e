"""A tenant's policies, compiled: parsed once, and found by what a question is about.

Evaluating a policy takes about a microsecond, so a thousand take longer than a decision may. Most
of them cannot apply to a given question, and the head of a policy says so: its scope (principal,
action, resource), and, as its first condition, an equation such as `resource.name == "x"`. Policies
are kept in drawers by that head, and a question opens only the drawers that it could match.

This never changes a decision. A policy left out is one whose scope does not match, or whose very
first condition is false: Cedar evaluates from left to right, so such a policy is not satisfied and
cannot raise an error either. `tests/unit/governance` holds sliced against whole.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import cedarpy
from cedarpy import pst

from ai_agent_mesh.product.governance.cedar import Asked
from ai_agent_mesh.product.governance.model import PolicyRef

#: How many different unions of drawers a set remembers.
_REMEMBERED = 256
#: Attributes of a resource that every entity with them has always.
_LEADING = frozenset({"name", "host", "path", "kind"})

_Key = tuple[str, ...]
_Head = tuple[_Key, _Key, _Key]
_ANY: _Key = ("any",)


@dataclass(frozen=True, slots=True)
class Compiled:
    """One policy, parsed, under an id that is its own in its set."""

    ref: PolicyRef
    template: pst.Template


class PolicySet:
    """All enabled policies of a tenant at one version of its set; never changed."""

    def __init__(
        self, version: int, policies: Iterable[Compiled], unfit: Iterable[str] = ()
    ) -> None:
        self.version = version
        #: Why nothing may be decided by this set, if so.
        self.unfit = tuple(unfit)
        self._refs: dict[str, PolicyRef] = {}
        self._drawers: dict[_Head, dict[str, pst.Template]] = {}
        self._handles: OrderedDict[tuple[_Head, ...], cedarpy.PolicySet] = OrderedDict()
        for policy in policies:
            self._refs[policy.ref.id] = policy.ref
            template = replace(policy.template, id=policy.ref.id)
            for head in _heads(template):
                self._drawers.setdefault(head, {})[policy.ref.id] = template

    def __len__(self) -> int:
        return len(self._refs)

    def ref(self, policy_id: str) -> PolicyRef | None:
        """Return which policy an engine's answer names."""
        return self._refs.get(policy_id)

    def whole(self) -> cedarpy.PolicySet:
        """Return every policy as one handle."""
        return self._handle(tuple(self._drawers))

    def slice(self, asked: Asked) -> cedarpy.PolicySet:
        """Return the policies that could apply to a question, as one handle."""
        wanted = product(
            (("action", asked.action), _ANY), _entity_keys(asked.principal), _resource_keys(asked)
        )
        return self._handle(tuple(head for head in wanted if head in self._drawers))

    def _handle(self, heads: tuple[_Head, ...]) -> cedarpy.PolicySet:
        known = self._handles.get(heads)
        if known is None:
            union = {key: value for head in heads for key, value in self._drawers[head].items()}
            node = pst.PolicySet(templates={}, static_policies=union, template_links=())
            known = self._handles[heads] = cedarpy.PolicySet.from_pst(node)
            if len(self._handles) > _REMEMBERED:
                self._handles.popitem(last=False)
        else:
            self._handles.move_to_end(heads)
        return known


def _heads(template: pst.Template) -> Iterator[_Head]:
    resource = _key(template.resource)
    leading = _leading_equation(template.clauses)
    # A drawer by value is narrower than one by type, and wider than one by the very entity.
    if leading is not None and resource[0] != "entity":
        resource = leading
    return product(_actions(template.action), (_key(template.principal),), (resource,))


def _actions(scope: pst.ActionConstraint) -> tuple[_Key, ...]:
    match scope:
        case pst.ActionEq(entity):
            return (("action", entity.id),)
        case pst.ActionIn(entities):
            return tuple(("action", entity.id) for entity in dict.fromkeys(entities))
        case _:
            return (_ANY,)


def _key(scope: pst.PrincipalOrResourceConstraint) -> _Key:
    # Entities of this mesh have no parents, so that `in` holds for the entity itself alone.
    match scope:
        case pst.ScopeEq(pst.EntityUid() as entity) | pst.ScopeIn(pst.EntityUid() as entity):
            return ("entity", str(entity.type), entity.id)
        case pst.ScopeIsIn(_, pst.EntityUid() as entity):
            return ("entity", str(entity.type), entity.id)
        case pst.ScopeIs(entity_type):
            return ("type", str(entity_type))
        case _:
            return _ANY


def _leading_equation(clauses: tuple[pst.Clause, ...]) -> _Key | None:
    """Return the drawer of the equation that a policy's first condition begins with, if it does."""
    if not clauses or not isinstance(clauses[0], pst.When):
        return None
    expr = clauses[0].expr
    while isinstance(expr, pst.BinaryOp) and expr.op == "and":
        expr = expr.left
    match expr:
        case pst.BinaryOp(
            "eq", pst.GetAttr(pst.Var("resource"), attr), pst.StringLit(value)
        ) | pst.BinaryOp("eq", pst.StringLit(value), pst.GetAttr(pst.Var("resource"), attr)) if (
            attr in _LEADING
        ):
            return ("value", attr, value)
    return None


def _entity_keys(entity: Mapping[str, str]) -> tuple[_Key, ...]:
    return (("entity", entity["type"], entity["id"]), ("type", entity["type"]), _ANY)


def _resource_keys(asked: Asked) -> tuple[_Key, ...]:
    values = tuple(
        ("value", attr, value)
        for attr, value in asked.resource_attributes.items()
        if attr in _LEADING and isinstance(value, str)
    )
    return (*_entity_keys(asked.resource), *values)
