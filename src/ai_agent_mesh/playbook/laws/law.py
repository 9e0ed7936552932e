"""What a law is: a place, the keys it needs, and a check that yields what is wrong."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

#: The name of the key that is wrong ("" for the whole) and the reason.
Broken = Iterable[tuple[str, str]]
#: Takes every readable scalar by its dotted key; yields full dotted keys.
WideLaw = Callable[[Mapping[str, object]], Broken]


@dataclass(frozen=True, slots=True)
class Law:
    """Holds for a section, or wherever a dotted key matches; without `needs` it takes the whole."""

    of: type[msgspec.Struct] | str
    needs: tuple[str, ...]
    check: Callable[..., Broken]


def law(of: type[msgspec.Struct] | str, *needs: str) -> Callable[[Callable[..., Broken]], Law]:
    """Make a law of the check below it."""

    def bind(check: Callable[..., Any]) -> Law:  # Any: each check has its own parameters
        return Law(of, needs, check)

    return bind
