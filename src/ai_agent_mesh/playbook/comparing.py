"""What differs between two playbooks, key by key."""

from collections.abc import Iterator
from dataclasses import dataclass

from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.writing import flat, plain


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


def differences(before: Playbook, after: Playbook) -> Iterator[Difference]:
    """Yield each key whose value differs, in the playbook's order; equal values compare equal
    however they were written.
    """
    old, new = dict(flat(plain(before))), dict(flat(plain(after)))
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield Difference(key, old.get(key), new.get(key))
