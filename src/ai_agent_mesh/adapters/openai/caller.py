"""Calls `chat/completions` under a base URL, and counts tokens as the endpoint does."""

from typing import Annotated, Any

import httpx
import msgspec

from ai_agent_mesh.adapters.http import checked_status, exchange, headers_of
from ai_agent_mesh.plumbing.http.outbound import AnswerUnreadable, said
from ai_agent_mesh.product.agents import Message, Reply, Target

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class Said(msgspec.Struct, frozen=True):
    """A model's message."""

    content: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """One of the answers that a model offers."""

    message: Said


class Tokens(msgspec.Struct, frozen=True):
    """What the endpoint counted."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None


class Completion(msgspec.Struct, frozen=True):
    """The part of a completion that matters here."""

    choices: Annotated[list[Choice], msgspec.Meta(min_length=1)]
    model: str | None = None
    usage: Tokens | None = None


class OpenAiCaller:
    """A text becomes the user's message; an object with `messages` is sent as it is."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def call(
        self,
        target: Target,
        message: Message,
        *,
        deadline_s: float,
        idempotency_key: str,
        traceparent: str | None,
    ) -> Reply:
        """Ask the model and return its words."""
        response = await exchange(
            self._client,
            "POST",
            under(target.url, "chat/completions"),
            deadline_s=deadline_s,
            headers=headers_of(target, idempotency_key, traceparent),
            body=request_of(target, message),
        )
        checked_status(response)
        completion = said(response, Completion)
        text = completion.choices[0].message.content
        if text is None:
            raise AnswerUnreadable(host=response.url.host, reason="the model's message is empty")
        used = completion.usage or Tokens()
        return Reply(
            output=text,
            text=text,
            input_tokens=used.prompt_tokens,
            output_tokens=used.completion_tokens,
            model=completion.model or target.model,
        )

    async def check(self, target: Target, *, deadline_s: float) -> None:
        """Return when the list of models answers; a server without one is there all the same."""
        headers = target.credential.headers if target.credential else {}
        url = under(target.url, "models")
        response = await exchange(self._client, "GET", url, deadline_s=deadline_s, headers=headers)
        if response.status_code not in (404, 405, 501):
            checked_status(response)


def request_of(target: Target, message: Message) -> dict[str, Any]:
    """Return the body of the request; the registered model and prompt win over the input's."""
    given = message.input
    own = given if isinstance(given, dict) and isinstance(given.get("messages"), list) else None
    words = given if isinstance(given, str) else msgspec.json.encode(given).decode()
    said_: list[Any] = own["messages"] if own else [{"role": "user", "content": words}]
    prompt = [{"role": "system", "content": target.system_prompt}] if target.system_prompt else []
    return {**(own or {}), "model": target.model, "messages": [*prompt, *said_], "stream": False}


def under(base: str, path: str) -> httpx.URL:
    """Return the address of a resource below a base URL, its query kept.

    >>> str(under("https://models.example/v1/?api-version=1", "models"))
    'https://models.example/v1/models?api-version=1'
    """
    url = httpx.URL(base)
    return url.copy_with(path=f"{url.path.rstrip('/')}/{path}")
