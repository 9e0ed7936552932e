"""What a verifier finds: signatures that hold, and of each check the first failure."""

from collections.abc import Sequence

import msgspec

from ai_agent_mesh.evidence import Check, Failure, key_id_of, verify


class Findings:
    """Knows the keys that a bundle brings. `pinned` are the only ones that count, if any."""

    def __init__(self, pinned: Sequence[bytes]) -> None:
        self.pinned = frozenset(pinned)
        self.keys: dict[str, bytes] = {}
        self.signers: set[str] = set()
        self._failures: dict[Check, Failure] = {}

    @property
    def failures(self) -> list[Failure]:
        """Return the first failure of each check, in the order in which they were found."""
        return list(self._failures.values())

    def fail(self, check: Check, place: str, reason: str, times: int = 1) -> None:
        """Remember a failure; of each check the first is kept and the others are counted."""
        first = self._failures.get(check)
        if first is None:
            self._failures[check] = Failure(check, place, reason, times)
        else:
            self._failures[check] = msgspec.structs.replace(first, times=first.times + times)

    def key(self, key_id: str, public: bytes) -> None:
        """Take a public key, which its name must fit."""
        if key_id_of(public) == key_id:
            self.keys[key_id] = public
        else:
            self.fail(Check.SIGNATURE, f"key {key_id}", "this is not the name of its public key")

    def signed(self, key_id: str, signature: bytes, text: bytes, place: str) -> None:
        """Check a signature over some text."""
        public = self.keys.get(key_id)
        if public is None:
            self.fail(Check.SIGNATURE, place, f"its key {key_id} is not known")
        elif self.pinned and public not in self.pinned:
            self.fail(Check.SIGNATURE, place, f"its key {key_id} is not trusted")
        elif not verify(public, signature, text):
            self.fail(Check.SIGNATURE, place, "its signature does not hold")
        else:
            self.signers.add(key_id)
