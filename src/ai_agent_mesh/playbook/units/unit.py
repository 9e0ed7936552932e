"""What a unit is: what it expects, how it reads a scalar and how it writes one back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Unreadable(ValueError):  # noqa: N818 - it says what the text is
    """A scalar that its unit cannot read, where there is more to say than what was expected."""


@dataclass(frozen=True)
class Unit(Generic[T]):
    """A kind of scalar. `read` raises ValueError; `write` gives text that `read` takes back."""

    expected: str
    read: Callable[[str], T]
    write: Callable[[T], str | int]
