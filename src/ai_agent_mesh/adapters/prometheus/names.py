"""How series, labels, durations and exact numbers are written in PromQL.

The names of series and labels are those that Sloth made common, so its dashboards and tools work.
"""

from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.operations.alerts import Objective

PRODUCT = "ai-agent-mesh"
#: What makes two series be of one objective.
SAME = "on(sloth_id, sloth_service, sloth_slo)"

_SECOND = timedelta(seconds=1)
_UNITS = {
    "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": _SECOND,
}  # fmt: skip


def labels(objective: Objective) -> dict[str, str]:
    """Return the labels that every series of an objective carries."""
    return {
        "sloth_id": f"{PRODUCT}-{objective.name}",
        "sloth_service": PRODUCT,
        "sloth_slo": objective.name,
    }


def chosen(objective: Objective) -> str:
    """Return the selector of an objective's series."""
    return f'{{sloth_id="{labels(objective)["sloth_id"]}"}}'


def window_name(length: timedelta) -> str:
    """Return a duration as PromQL and the names of series have it, in its largest whole unit.

    >>> window_name(timedelta(minutes=5)), window_name(timedelta(days=3))
    ('5m', '3d')
    """
    for name, unit in _UNITS.items():
        if length % unit == timedelta(0):
            return f"{length // unit}{name}"
    return f"{length // timedelta(milliseconds=1)}ms"


def seconds(length: timedelta) -> str:
    """Return a duration in seconds, exactly.

    >>> seconds(timedelta(days=30)), seconds(timedelta(milliseconds=1500))
    ('2592000', '1.5')
    """
    return number(Fraction(length // timedelta.resolution, _SECOND // timedelta.resolution))


def number(exact: Fraction) -> str:
    """Return a number as a decimal that says exactly it, or as a division that does.

    >>> number(Fraction("0.0001")), number(Fraction(12)), number(Fraction(1, 30))
    ('0.0001', '12', '(1 / 30)')
    """
    decimals = 0
    while (exact * 10**decimals).denominator != 1:
        decimals += 1
        if decimals > 15:
            return f"({exact.numerator} / {exact.denominator})"
    text = f"{exact.numerator * 10**decimals // exact.denominator:0{decimals + 1}d}"
    return f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text
