"""The simplest expressions, plain paths, followed without a child process.

Most expressions of a workflow only pick a value. Their meaning is jq's: null has every key, and
picking a key of anything but an object or null is left to jq, which then words the error.
"""

import re

from ai_agent_mesh.product.orchestration.expressions.model import Json, Scope

#: Says that an expression is more than a path, or one that only jq can judge.
NOT_A_PATH = object()

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PATH = re.compile(rf"\s*(?:\.|(?P<root>\${_NAME})?(?P<keys>(?:\.{_NAME})*))\s*")


def follow(program: str, scope: Scope) -> Json:
    """Return the value that a plain path picks, or NOT_A_PATH.

    >>> follow(".order.id", Scope({"order": {"id": 7}}, {}, 0))
    7
    >>> follow("$item.name", Scope(None, {"item": None}, 0)) is None
    True
    >>> follow(".a + 1", Scope({}, {}, 0)) is NOT_A_PATH
    True
    """
    found = _PATH.fullmatch(program)
    if found is None or not program.strip():
        return NOT_A_PATH
    root = found["root"]
    value: Json = scope.data
    if root:
        if root[1:] not in scope.variables:
            return NOT_A_PATH
        value = scope.variables[root[1:]]
    for key in (found["keys"] or "").split(".")[1:]:
        if isinstance(value, dict):
            value = value.get(key)
        elif value is not None:
            return NOT_A_PATH
    return value
