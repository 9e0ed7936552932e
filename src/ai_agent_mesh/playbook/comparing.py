"""What differs between two playbooks, key by key."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from msgspec import UNSET, Struct
from msgspec.structs import replace

from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.writing import flat, plain

#: What months are judged by: a change of it counts from the next month's start.
_PROMISED = re.compile(
    r"tiers\.[^.]+\.(uptime|method|credits)\b|latency\.|maintenance\.(notice|window)\b|kpis\.platform\.uptime"
    r"|measurement\.(?!year|clock_difference|sequenced_within|probe\.run_wait|unknown_callers)"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A dotted key and its value on both sides; None where a side has none."""

    key: str
    before: str | int | None
    after: str | int | None

    @property
    def kind(self) -> str:
        """Return `added`, `removed` or `changed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def waits(self) -> bool:
        """Tell whether it is of the promise, which a month keeps from its start to its end."""
        return bool(_PROMISED.match(self.key))


def differences(before: Playbook, after: Playbook) -> Iterator[Difference]:
    """Yield each key whose value differs, in the playbook's order; equal values compare equal
    however they were written.
    """
    old, new = dict(flat(plain(before))), dict(flat(plain(after)))
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield Difference(key, old.get(key), new.get(key))


def promising(today: Playbook, agreed: Playbook) -> Playbook:
    """Return today's playbook with what is promised as it stands in another one.

    What `Difference.waits` names comes from `agreed`, everything else from `today`.
    """
    if today.digest == agreed.digest:
        return today
    return cast("Playbook", _mixed(today, agreed, ""))


def _mixed(today: object, agreed: object, key: str) -> object:
    lead = f"{key}." if key else ""
    match today, agreed:
        case Struct(), Struct():
            changes = {
                name: _mixed(getattr(today, name), getattr(agreed, name), f"{lead}{name}")
                for name in today.__struct_fields__
            }
            return replace(today, **changes)
        case Mapping(), Mapping():
            sides = {n: (today.get(n, UNSET), agreed.get(n, UNSET)) for n in {**today, **agreed}}
            mixed = {name: _mixed(*both, f"{lead}{name}") for name, both in sides.items()}
            return {name: value for name, value in mixed.items() if value is not UNSET}
    return agreed if _PROMISED.match(key) else today
