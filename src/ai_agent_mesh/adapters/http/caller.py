"""Calls an agent that takes a JSON document by POST and answers with one."""

from typing import Any

import httpx
import msgspec

from ai_agent_mesh.adapters.http.exchange import (
    checked_status,
    exchange,
    failure_of,
    headers_of,
)
from ai_agent_mesh.plumbing.http.outbound import said, wholesome, words
from ai_agent_mesh.product.agents import Message, Reply, Target


class HttpCaller:
    """The input is the body as it is; the answer is the output as it is."""

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
        """Post the input and return the answer; a text answer is an output of its own."""
        response = await exchange(
            self._client,
            "POST",
            target.url,
            deadline_s=deadline_s,
            headers=headers_of(target, idempotency_key, traceparent),
            body=message.input,
        )
        checked_status(response)
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media.startswith("text/"):
            output: Any = wholesome(words(response), response.url.host)
        elif not response.content:
            output = None
        else:
            output = said(response, Any)
        used = _tokens(output)
        return Reply(output=output, text=_text(output), input_tokens=used[0], output_tokens=used[1])

    async def check(self, target: Target, *, deadline_s: float) -> None:
        """Return when something answers a GET there without a failure of its own.

        An endpoint made for POST may well answer 404 or 405, and is there; 401 and 403 mean that
        its door stays shut to us.
        """
        headers = target.credential.headers if target.credential else {}
        response = await exchange(
            self._client, "GET", target.url, deadline_s=deadline_s, headers=headers
        )
        status = response.status_code
        if status in (401, 403) or status >= 500:
            raise failure_of(response.url.host, status, words(response), None)


def _text(output: Any) -> str:  # whatever JSON came
    if isinstance(output, str):
        return output
    if isinstance(output, dict):
        for name in ("text", "output", "message", "answer"):
            if isinstance(output.get(name), str):
                return str(output[name])
    return "" if output is None else msgspec.json.encode(output).decode()


def _tokens(output: Any) -> tuple[int | None, int | None]:
    """Read the usage that an answer states, in the names that agents commonly use."""
    usage = output.get("usage") if isinstance(output, dict) else None
    if not isinstance(usage, dict):
        return None, None

    def count(*names: str) -> int | None:
        found = next((usage[name] for name in names if name in usage), None)
        if not isinstance(found, int) or isinstance(found, bool):
            return None
        return found if 0 <= found < 2**31 else None

    return count("input_tokens", "prompt_tokens"), count("output_tokens", "completion_tokens")
