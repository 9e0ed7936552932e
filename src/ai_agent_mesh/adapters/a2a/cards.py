"""Reads agent cards: fetched from the well-known place, understood, and kept in one form."""

import copy
import json
from typing import Any
from urllib.parse import urlsplit

import httpx
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.client.card_resolver import parse_agent_card
from a2a.types import AgentCard
from a2a.utils.constants import AGENT_CARD_WELL_KNOWN_PATH, TransportProtocol
from google.protobuf.json_format import MessageToDict, ParseError

from ai_agent_mesh.adapters.http import checked_status, exchange
from ai_agent_mesh.plumbing.http.outbound import wholesome
from ai_agent_mesh.product.agents import Card, CardUnusable, Target, origin_of

Json = Any  # a card is the agent's own JSON
CARD_BYTES = 256_000
SPOKEN = [TransportProtocol.JSONRPC, TransportProtocol.HTTP_JSON]


class A2aCards:
    """Reads the card of the agent at an address."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def read(self, target: Target, *, deadline_s: float) -> Card:
        """Fetch the card and check that we can speak to what it describes."""
        url = card_url(target.url)
        headers = target.credential.headers if target.credential else {}
        response = await exchange(self._client, "GET", url, deadline_s=deadline_s, headers=headers)
        checked_status(response)
        if len(response.content) > CARD_BYTES:
            raise CardUnusable(url=url, reason=f"it is longer than {CARD_BYTES} bytes")
        try:
            raw = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise CardUnusable(url=url, reason="it is not JSON") from error
        card = understood(raw, url)
        wholesome(content := MessageToDict(card), response.url.host)
        described = Card(url=url, name=card.name, description=card.description, content=content)
        speak(self._client, described.content, target)
        return described


def card_url(url: str) -> str:
    """Return where the card is: the address itself when it names a document, else well known.

    >>> card_url("https://agent.example/")
    'https://agent.example/.well-known/agent-card.json'
    """
    if urlsplit(url).path.endswith(".json"):
        return url
    return url.rstrip("/") + AGENT_CARD_WELL_KNOWN_PATH


def understood(raw: Json, url: str) -> AgentCard:
    """Parse a card; CardUnusable says what is wrong with it."""
    try:
        card = parse_agent_card(copy.deepcopy(raw))
    except (ParseError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        reason = f"it is not an agent card: {str(error)[:200]}"
        raise CardUnusable(url=url, reason=reason) from error
    if not card.name.strip():
        raise CardUnusable(url=url, reason="it names no agent")
    if not card.supported_interfaces:
        raise CardUnusable(url=url, reason="it has no supportedInterfaces")
    return card


def speak(client: httpx.AsyncClient, content: dict[str, Json], target: Target) -> Client:
    """Return a client for the first interface of a card that we speak.

    A card may send its callers to another origin. It gets no credential there: the owner gave it
    to the address that they registered.
    """
    card = understood(content, target.url)
    config = ClientConfig(
        streaming=False, polling=True, httpx_client=client, supported_protocol_bindings=list(SPOKEN)
    )
    try:
        speaker = ClientFactory(config).create(card)
    except (ValueError, TypeError) as error:
        reason = f"it offers none of {', '.join(each.value for each in SPOKEN)}"
        raise CardUnusable(url=target.url, reason=reason) from error
    chosen = next(each for each in card.supported_interfaces if each.protocol_binding in SPOKEN)
    if urlsplit(chosen.url).scheme not in ("http", "https"):
        raise CardUnusable(url=target.url, reason="its interface has no http or https address")
    if target.credential is not None and origin_of(chosen.url) != origin_of(target.url):
        reason = f"it sends calls to {chosen.url[:200]}, where the credential does not go"
        raise CardUnusable(url=target.url, reason=reason)
    return speaker
