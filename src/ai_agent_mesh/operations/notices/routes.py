"""A tenant's subscriptions over HTTP."""

from typing import Protocol

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.operations.notices.model import Draft, Subscribed, Subscription
from ai_agent_mesh.operations.notices.service import Subscriptions
from ai_agent_mesh.plumbing.crypto import Vault
from ai_agent_mesh.plumbing.http import Cursor, Limit, Paged, Work, page_of, paged
from ai_agent_mesh.product.identity import Principal


class Wiring(Protocol):
    """What the routes take from the wired application."""

    vault: Vault
    clock: Clock


Caller = NamedDependency[Principal]
Wired = NamedDependency[SkipValidation[Wiring]]
TAGS = ["notices"]


@post("/v1/subscriptions", summary="Subscribe an address to notices", tags=TAGS)
async def subscribe(
    unit: Work, principal: Caller, mesh: Wired, data: JSONBody[Draft]
) -> Subscribed:
    """Return the subscription with the secret that its messages are signed with, shown once."""
    subscriptions = Subscriptions(await unit.begin(), mesh.vault, mesh.clock, principal.actor_id)
    made = await subscriptions.subscribe(data)
    unit.object = made.subscription.id
    return made


@get("/v1/subscriptions", summary="List the tenant's subscriptions, oldest first", tags=TAGS)
async def list_subscriptions(
    unit: Work, mesh: Wired, limit: Limit = None, cursor: Cursor = None
) -> Paged[Subscription]:
    """Return a page of subscriptions, never their secrets."""
    page = page_of(limit, cursor)
    found = await Subscriptions(await unit.begin(), mesh.vault, mesh.clock).list(page)
    return paged(found, page, lambda one: one.id)


@get("/v1/subscriptions/{subscription_id:str}", summary="Read a subscription", tags=TAGS)
async def read_subscription(
    unit: Work, mesh: Wired, subscription_id: FromPath[str]
) -> Subscription:
    """Return the subscription, never its secret."""
    return await Subscriptions(await unit.begin(), mesh.vault, mesh.clock).get(subscription_id)


@delete("/v1/subscriptions/{subscription_id:str}", summary="End a subscription", tags=TAGS)
async def unsubscribe(unit: Work, mesh: Wired, subscription_id: FromPath[str]) -> None:
    """End it at once; what it was still to be told is dropped."""
    subscriptions = Subscriptions(await unit.begin(), mesh.vault, mesh.clock)
    unit.object = (await subscriptions.delete(subscription_id)).id
