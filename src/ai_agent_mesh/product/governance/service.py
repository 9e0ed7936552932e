"""A tenant's policies: read, written with their history, and the set a new tenant starts with."""

import asyncio
from importlib.resources import files

from ai_agent_mesh.kernel.clock import Clock, SystemClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import PreconditionFailed, require
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.governance.facts import PolicyMissing, TooManyPolicies
from ai_agent_mesh.product.governance.model import Policy, PolicyVersion
from ai_agent_mesh.product.governance.rules import MOST_POLICIES, checked, described
from ai_agent_mesh.product.governance.store import PolicyStore


class Policies:
    """One tenant's policies, on behalf of one actor."""

    def __init__(self, tx: Tx, *, clock: Clock | None = None, by: str | None = None) -> None:
        self._store = PolicyStore(tx)
        self._clock = clock or SystemClock()
        self._by = by

    async def set_version(self) -> int:
        """Return the version of the whole set; 0 when there never was a policy."""
        mark = await self._store.mark()
        return 0 if mark is None else mark.version

    async def page(
        self, after: str | None = None, limit: int = 50, *, enabled: bool | None = None
    ) -> list[Policy]:
        """Return policies in the order of their names, those after `after`."""
        return await self._store.page(after, limit, enabled=enabled)

    async def get(self, name: str) -> Policy:
        """Return the policy of that name.

        Raises:
            PolicyMissing: there is none.
        """
        policy = await self._store.find(name)
        if policy is None:
            raise PolicyMissing(name=name[:64])
        return policy

    async def put(
        self,
        name: str,
        text: str,
        *,
        description: str | None = None,
        enabled: bool = True,
        if_match: str | None = None,
    ) -> Policy:
        """Create a policy, or replace the version that `if_match` names; version 1 is a new one.

        Raises:
            PolicyInvalid: the text is not one valid statement; each fault says line and column.
            PreconditionRequired, PreconditionFailed: see `plumbing.http.etags`.
            TooManyPolicies: the tenant has as many as it may.
        """
        told = described(text) if description is None else description
        await asyncio.to_thread(checked, name, text, told)
        set_version = await self._store.advance()
        present = await self._store.find(name)
        self._guard(name, present, if_match)
        if present is None and len(await self._store.names()) >= MOST_POLICIES:
            raise TooManyPolicies(most=MOST_POLICIES)
        policy = Policy(
            id=present.id if present else new_id("pol"),
            name=name,
            text=text,
            description=told,
            enabled=enabled,
            version=await self._store.last_version(name) + 1,
            updated_at=self._clock.now(),
            updated_by=self._by,
        )
        await self._store.save(policy, set_version)
        return policy

    async def delete(self, name: str, *, if_match: str | None) -> Policy:
        """Take a policy out of force, and return it as it was; its history stays readable.

        Raises:
            PolicyMissing: there is none.
            PreconditionRequired, PreconditionFailed: see `plumbing.http.etags`.
        """
        set_version = await self._store.advance()
        present = await self.get(name)
        require(if_match, present.version)
        gone = Policy(
            id=present.id,
            name=name,
            text=present.text,
            description=present.description,
            enabled=False,
            version=present.version + 1,
            updated_at=self._clock.now(),
            updated_by=self._by,
        )
        await self._store.remove(gone, set_version)
        return present

    async def history(
        self, name: str, before: int | None = None, limit: int = 50
    ) -> list[PolicyVersion]:
        """Return every version that a policy had, the latest first; deleted ones too.

        Raises:
            PolicyMissing: there never was a policy of that name.
        """
        versions = await self._store.history(name, before, limit)
        if not versions and before is None:
            raise PolicyMissing(name=name[:64])
        return versions

    async def install_starter(self) -> tuple[str, ...]:
        """Write the policies that a tenant starts with, and return their names.

        One that is there already, or was deleted, is left as it is: safe to run again.
        """
        texts = starter()
        wanted = [name for name in texts if not await self._store.last_version(name)]
        for name in wanted:
            await self.put(name, texts[name])
        return tuple(wanted)

    @staticmethod
    def _guard(name: str, present: Policy | None, if_match: str | None) -> None:
        if present is not None:
            require(if_match, present.version)
        elif if_match is not None:
            raise PreconditionFailed(f"There is no policy {name} to replace.", name=name)


def starter() -> dict[str, str]:
    """Return the texts of the starter set by name."""
    folder = files(__package__) / "starter"
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".cedar"))
    texts = {entry.name.removesuffix(".cedar"): entry.read_text("utf-8") for entry in found}
    return dict(sorted(texts.items()))
