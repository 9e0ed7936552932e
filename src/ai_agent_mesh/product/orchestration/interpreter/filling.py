"""How a template becomes a value: its expressions evaluated over what they name, and no more."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ai_agent_mesh.product.orchestration.definition.model import Template
from ai_agent_mesh.product.orchestration.errors import raised
from ai_agent_mesh.product.orchestration.expressions import ExpressionFailed, Expressions, Scope

Json = Any  # what JSON can say

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


async def filled(
    expressions: Expressions,
    template: Template,
    data: Json,
    known: Mapping[str, Json],
    now_s: float,
    place: str,
) -> Json:
    """Return the template's value over `data` and the variables of `known`.

    Raises:
        Raised: an expression failed; the error is the language's own, with the text that failed.
    """
    programs = template.programs
    if not programs:
        return template.value
    named = {name for text in programs for name in _VARIABLE.findall(text)}
    # Only what is named travels: a large context costs nothing where it is not used.
    variables = {name: value for name, value in known.items() if name in named}
    try:
        values = await expressions.evaluate(programs, Scope(data, variables, now_s))
    except ExpressionFailed as error:
        text = f"${{ {programs[error.index]} }}"[:200]
        raise raised("expression", str(error), place, detail=text) from error
    return template.fill(iter(values))


def holds(value: Json) -> bool:
    """Tell whether jq takes a value for true."""
    return value is not None and value is not False


def moment(at: datetime) -> dict[str, Json]:
    """Return a moment as the language's descriptors write it."""
    seconds = at.timestamp()
    return {
        "iso8601": at.isoformat(),
        "epoch": {"seconds": int(seconds), "milliseconds": int(seconds * 1000)},
    }


def expanded(endpoint: Json, data: Json) -> Json:
    """Fill the `{name}`s of a URI template from the task's input, as path segments."""
    if not isinstance(endpoint, str) or not isinstance(data, dict):
        return endpoint

    def value(found: re.Match[str]) -> str:
        given = data.get(found[1])
        plain = isinstance(given, str | int | float)
        return quote(str(given), safe="") if plain else found[0]

    return re.sub(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", value, endpoint)
