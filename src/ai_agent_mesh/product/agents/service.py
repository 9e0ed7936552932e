"""Registers agents and keeps them: create, read, list, change, delete, read the card again."""

from collections.abc import Sequence

import msgspec

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.plumbing.http import Page, require
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.agents.facts import AgentInvalid, AgentMissing
from ai_agent_mesh.product.agents.model import (
    Agent,
    Card,
    Change,
    Credential,
    Draft,
    Filters,
    Kind,
    Target,
)
from ai_agent_mesh.product.agents.ports import CardReader, Vault, Work
from ai_agent_mesh.product.agents.rules import (
    CHECK_S,
    check_draft,
    merged_labels,
    name_from,
    origin_of,
)
from ai_agent_mesh.product.agents.store import AgentStore
from ai_agent_mesh.product.agents.timing import Stopwatch


class Agents:
    """One tenant's agents, within a transaction."""

    def __init__(self, tx: Tx, vault: Vault) -> None:
        self._store = AgentStore(tx, vault)

    async def get(self, agent: str) -> Agent:
        """Return an agent by its id (`agt_…`) or its name; AgentMissing when there is none."""
        found = await self._store.find(agent)
        if found is None:
            raise AgentMissing(agent=agent[:100])
        return found

    async def list(self, filters: Filters, page: Page) -> Sequence[Agent]:
        """Return a page of agents, oldest first, with one more row when the list goes on."""
        return await self._store.list(filters, page)

    async def target(self, agent: Agent) -> Target:
        """Return what a caller needs to reach it, its credential opened."""
        credential = await self._store.credential(agent.id) if agent.credential_set else None
        return target_of(agent, credential)

    async def delete(self, agent: str, if_match: str | None) -> Agent:
        """Forget an agent and return what it was; If-Match is honoured when it is sent."""
        found = await self._locked(agent)
        if if_match is not None:
            require(if_match, found.version)
        await self._store.delete(found.id)
        return found

    async def insert(self, draft: Draft, card: Card | None) -> Agent:
        """Keep a checked draft with its card."""
        return await self._store.insert(draft, card)

    async def replace(
        self, agent: str, draft: Draft, card: Card | None, if_match: str | None, change: Change
    ) -> Agent:
        """Keep the changed draft if the agent is still at the version it was made from."""
        found = await self._locked(agent)
        require(if_match, found.version)
        renewed = change.credential is not msgspec.UNSET
        return await self._store.update(found.id, draft, card, credential_too=renewed)

    async def keep_card(self, agent: Agent, card: Card) -> Agent:
        """Replace the card and return the agent with it."""
        await self._store.keep_card(agent.id, card)
        return await self.get(agent.id)

    async def _locked(self, agent: str) -> Agent:
        found = await self._store.find(agent, lock=True)
        if found is None:
            raise AgentMissing(agent=agent[:100])
        return found


class Registrar:
    """The acts that read an agent's card on their way, and hold no connection meanwhile."""

    def __init__(self, vault: Vault, cards: CardReader) -> None:
        self._vault = vault
        self._cards = cards

    async def register(self, work: Work, draft: Draft) -> Agent:
        """Register an agent; an a2a agent's card is fetched and may supply name and description.

        Raises:
            AgentInvalid: with every mistake. CardUnusable: the card is not one. AgentNameTaken.
        """
        check_draft(draft)
        card = None
        if draft.kind is Kind.A2A:
            target = Target(kind=draft.kind, url=draft.url, credential=draft.credential)
            card = await self._read(work, target)
            draft = msgspec.structs.replace(
                draft,
                name=draft.name or name_from(card.name),
                description=card.description[:2000]
                if draft.description is None
                else draft.description,
            )
        return await Agents(await work.begin(), self._vault).insert(draft, card)

    async def change(self, work: Work, agent: str, change: Change, if_match: str | None) -> Agent:
        """Merge a change into an agent, if it is still at the version that `if_match` names.

        Raises:
            AgentMissing, PreconditionRequired, PreconditionFailed, AgentInvalid, AgentNameTaken;
            CardUnusable when a new address of an a2a agent has no usable card.
        """
        agents = Agents(await work.begin(), self._vault)
        found = await agents.get(agent)
        require(if_match, found.version)
        draft = merged(found, change)
        check_draft(draft)
        renewed = change.credential is not msgspec.UNSET
        if found.credential_set and not renewed and origin_of(draft.url) != origin_of(found.url):
            # Else whoever may edit an agent could send the kept secret to an address of their own.
            reason = "must be given again, or set to null, for an address of another origin"
            raise AgentInvalid(faults=[Fault("/credential", reason)])
        card = None
        if draft.kind is Kind.A2A and draft.url != found.url:
            kept = (await agents.target(found)).credential
            target = Target(
                kind=draft.kind, url=draft.url, credential=draft.credential if renewed else kept
            )
            card = await self._read(work, target)
        agents = Agents(await work.begin(), self._vault)
        return await agents.replace(found.id, draft, card, if_match, change)

    async def refresh(self, work: Work, agent: str) -> Agent:
        """Read an a2a agent's card again and keep it."""
        agents = Agents(await work.begin(), self._vault)
        found = await agents.get(agent)
        if found.kind is not Kind.A2A:
            reason = f"{found.name} is of kind {found.kind} and has no card"
            raise AgentInvalid(faults=[Fault("/kind", reason)])
        card = await self._read(work, await agents.target(found))
        return await Agents(await work.begin(), self._vault).keep_card(found, card)

    async def _read(self, work: Work, target: Target) -> Card:
        # Only read so far, so nothing is lost; and no claim of a key may stand without its answer.
        await work.undo()
        with Stopwatch(work):
            return await self._cards.read(target, deadline_s=CHECK_S)


def merged(agent: Agent, change: Change) -> Draft:
    """Return the draft that an agent and a merge patch make together."""
    kept = {
        name: getattr(agent, name)
        for name in ("name", "url", "description", "model", "system_prompt", "idempotent")
    }
    kept |= {"kind": agent.kind, "timeout_s": agent.timeout_s, "price": agent.price}
    new = {
        name: value
        for name, value in msgspec.structs.asdict(change).items()
        if value is not msgspec.UNSET and name != "labels"
    }
    labels = dict(agent.labels)
    if change.labels is None:
        labels = {}
    elif change.labels is not msgspec.UNSET:
        labels = merged_labels(labels, change.labels)
    return Draft(**{**kept, **new, "labels": labels})


def target_of(agent: Agent, credential: Credential | None) -> Target:
    """Return what a caller needs to know of an agent."""
    return Target(
        kind=agent.kind,
        url=agent.url,
        model=agent.model,
        system_prompt=agent.system_prompt,
        card=agent.card,
        credential=credential,
    )
