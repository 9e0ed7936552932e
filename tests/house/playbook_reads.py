"""A mypy plugin that notes where a section of the playbook has a member read or called."""

from collections.abc import Callable
from typing import TypeVar

from mypy.plugin import AttributeContext, MethodContext, Plugin
from mypy.types import Type

C = TypeVar("C", AttributeContext, MethodContext)
SCHEMA = "ai_agent_mesh.playbook.schema."

#: Class, member, file and line of each read that the type checker saw.
SEEN: set[tuple[str, str, str, int]] = set()


class Reads(Plugin):
    """Notes every read of a section's field, property or method by the type of its owner."""

    def get_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """Return what notes a field's or a property's read."""
        return _noting(fullname, lambda context: context.default_attr_type)

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Return what notes a method's call."""
        return _noting(fullname, lambda context: context.default_return_type)


def _noting(fullname: str, answer: Callable[[C], Type]) -> Callable[[C], Type] | None:
    if not fullname.startswith(SCHEMA):
        return None
    section, _, member = fullname.rpartition(".")

    def note(context: C) -> Type:
        SEEN.add((section, member, context.api.path, context.context.line))
        return answer(context)

    return note


def plugin(version: str) -> type[Plugin]:  # noqa: ARG001 - mypy's signature
    """Return the plugin, as mypy asks for it."""
    return Reads
