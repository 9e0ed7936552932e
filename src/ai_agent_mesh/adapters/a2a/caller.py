"""Calls an A2A agent: a message goes out, its task is followed to the end, or cancelled in time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import httpx
from a2a.client import Client, ClientCallContext
from a2a.client.errors import A2AClientError
from a2a.helpers import get_data_parts, get_text_parts, new_data_part, new_text_part
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    Part,
    Role,
    SendMessageRequest,
    Task,
    TaskState,
)
from a2a.types import Message as A2aMessage
from a2a.utils.errors import A2AError
from google.protobuf.json_format import MessageToDict, ParseError

from ai_agent_mesh.adapters.a2a.cards import A2aCards, speak
from ai_agent_mesh.adapters.http import failure_of, headers_of
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.plumbing.http.outbound import (
    AnswerTimedOut,
    AnswerUnreadable,
    UpstreamFailed,
    excerpt,
    wholesome,
    words,
)
from ai_agent_mesh.product.agents import (
    AgentFailed,
    AgentRefused,
    CardUnusable,
    Message,
    Reply,
    Target,
)

T = TypeVar("T")

ENDED = {
    TaskState.TASK_STATE_COMPLETED,
    TaskState.TASK_STATE_FAILED,
    TaskState.TASK_STATE_CANCELED,
    TaskState.TASK_STATE_REJECTED,
    # Nobody is there to answer or to sign in: for one call these are an end as well.
    TaskState.TASK_STATE_INPUT_REQUIRED,
    TaskState.TASK_STATE_AUTH_REQUIRED,
}
FIRST_LOOK_S = 0.02
LONGEST_PAUSE_S = 1.0
CANCEL_S = 2.0
LOOKS_LOST = 3  # looking is safe to repeat, so a few that fail in a row are forgiven


class A2aCaller:
    """Sends a text as a text part and any other JSON as a data part."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._cards = A2aCards(client)

    async def call(
        self,
        target: Target,
        message: Message,
        *,
        deadline_s: float,
        idempotency_key: str,
        traceparent: str | None,
    ) -> Reply:
        """Send the message and follow its task until it ends or `deadline_s` seconds are over."""
        if target.card is None:
            raise CardUnusable(url=target.url, reason="it was never read")
        talk = _Talk(
            client=speak(self._client, target.card, target),
            host=httpx.URL(target.url).host,
            headers=headers_of(target, idempotency_key, traceparent),
            deadline_s=deadline_s,
        )
        return await talk.hold(message, idempotency_key)

    async def check(self, target: Target, *, deadline_s: float) -> None:
        """Return when the agent's card can be read and spoken to."""
        await self._cards.read(target, deadline_s=deadline_s)


class _Talk:
    """One message and what follows from it, under one deadline."""

    def __init__(
        self, *, client: Client, host: str, headers: dict[str, str], deadline_s: float
    ) -> None:
        self._client = client
        self._host = host
        self._headers = headers
        self._deadline_s = deadline_s
        self._until = asyncio.get_running_loop().time() + deadline_s
        self._task_id: str | None = None

    async def hold(self, message: Message, key: str) -> Reply:
        """Return the reply, or cancel the task when it comes too late."""
        try:
            async with asyncio.timeout_at(self._until):
                return await self._spoken(message, key)
        except TimeoutError as error:
            await self._cancel()
            raise AnswerTimedOut(host=self._host, seconds=f"{self._deadline_s:g}") from error
        except (AnswerTimedOut, asyncio.CancelledError):
            await self._cancel()
            raise

    async def _spoken(self, message: Message, key: str) -> Reply:
        answer = await self._translated(lambda: self._send(message, key))
        if isinstance(answer, A2aMessage):
            return reply_of([*answer.parts], [answer.metadata], self._host)
        self._task_id = answer.id
        return ended(await self._followed(answer), self._host)

    async def _send(self, message: Message, key: str) -> A2aMessage | Task:
        # The message's id is what A2A lets an agent know a repeat by, so it is our key.
        said = A2aMessage(message_id=key, role=Role.ROLE_USER, parts=[_part(message.input)])
        said.metadata.update({"idempotencyKey": key})
        request = SendMessageRequest(message=said)
        async for event in self._client.send_message(request, context=self._context()):
            return event.message if event.HasField("message") else event.task
        raise AnswerUnreadable(host=self._host, reason="it holds neither a task nor a message")

    async def _followed(self, task: Task) -> Task:
        pause, lost = FIRST_LOOK_S, 0
        while task.status.state not in ENDED:
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, LONGEST_PAUSE_S)
            try:
                task = await self._translated(self._look)
                lost = 0
            except UpstreamFailed:
                lost += 1
                if lost >= LOOKS_LOST:
                    raise
        return task

    async def _look(self) -> Task:
        return await self._client.get_task(
            GetTaskRequest(id=self._task_id), context=self._context()
        )

    async def _cancel(self) -> None:
        """Ask the agent to stop; whether it does is its own affair."""
        if self._task_id is None:
            return
        context = ClientCallContext(service_parameters=self._headers, timeout=CANCEL_S)
        request = CancelTaskRequest(id=self._task_id)
        with suppress(Fact, A2AError, TimeoutError, *UNREADABLE):
            await asyncio.wait_for(self._client.cancel_task(request, context=context), CANCEL_S)

    def _context(self) -> ClientCallContext:
        left = max(self._until - asyncio.get_running_loop().time(), 0.01)
        return ClientCallContext(service_parameters=self._headers, timeout=left)

    async def _translated(self, act: Callable[[], Awaitable[T]]) -> T:
        """Turn the SDK's errors into facts; those of the guarded client pass through it as is."""
        try:
            return await act()
        except A2AError as error:
            raise self._failure(error) from error
        except UNREADABLE as error:
            reason = f"not A2A: {excerpt(str(error)) or type(error).__name__}"
            raise AnswerUnreadable(host=self._host, reason=reason) from error

    def _failure(self, error: A2AError) -> UpstreamFailed:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, httpx.HTTPStatusError):
            cause = cause.__cause__
        if isinstance(cause, httpx.HTTPStatusError):
            answer = cause.response
            later = answer.headers.get("retry-after")
            return failure_of(self._host, answer.status_code, words(answer), later)
        reason = excerpt(str(error.message))
        if type(error) is A2AClientError:
            return AnswerUnreadable(host=self._host, reason=reason)
        if type(error).__name__ in {"InternalError", "InvalidAgentResponseError"}:
            return AgentFailed(host=self._host, reason=reason)
        return AgentRefused(host=self._host, reason=reason)


# What the SDK lets through when an answer is JSON but not of the protocol's shape.
UNREADABLE = (
    ParseError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    RecursionError,
)


def ended(task: Task, host: str) -> Reply:
    """Return the reply of a task that ended well; a fact tells how another one ended."""
    state = task.status.state
    said = excerpt(" ".join(get_text_parts(task.status.message.parts)))
    if state == TaskState.TASK_STATE_COMPLETED:
        parts = [part for artifact in task.artifacts for part in artifact.parts]
        metadata = [task.metadata, *(artifact.metadata for artifact in task.artifacts)]
        return reply_of(parts or [*task.status.message.parts], metadata, host)
    if state == TaskState.TASK_STATE_FAILED:
        raise AgentFailed(host=host, reason=said or "its task failed")
    if state == TaskState.TASK_STATE_INPUT_REQUIRED:
        raise AgentRefused(host=host, reason=f"it asks for more input: {said}")
    if state == TaskState.TASK_STATE_AUTH_REQUIRED:
        raise AgentRefused(host=host, reason=f"it asks to sign in: {said}")
    verb = "cancelled" if state == TaskState.TASK_STATE_CANCELED else "rejected"
    raise AgentRefused(host=host, reason=said or f"its task was {verb}")


def reply_of(parts: list[Part], metadata: list[Any], host: str) -> Reply:
    """Make a reply of parts: the one data part is the output, several make a list, else the text.

    Tokens are read where the OpenTelemetry names for them stand in the metadata.
    """
    text = "\n".join(get_text_parts(parts))
    known: dict[str, Any] = {}
    try:
        data = [whole_numbers(each) for each in get_data_parts(parts)]
        for each in metadata:
            known |= MessageToDict(each)
    except UNREADABLE as error:  # a number that JSON does not have, or nesting without end
        raise AnswerUnreadable(host=host, reason=excerpt(str(error))) from error
    output: Any = text if not data else data[0] if len(data) == 1 else data
    wholesome([output, text], host)
    return Reply(
        output=output,
        text=text,
        input_tokens=_count(known.get("gen_ai.usage.input_tokens")),
        output_tokens=_count(known.get("gen_ai.usage.output_tokens")),
        model=str(known["gen_ai.response.model"])[:200]
        if "gen_ai.response.model" in known
        else None,
    )


def whole_numbers(value: Any) -> Any:
    """Return JSON whose whole numbers are whole again; A2A carries every number as a double.

    >>> whole_numbers({"a": [1.0, 1.5]})
    {'a': [1, 1.5]}
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {key: whole_numbers(each) for key, each in value.items()}
    return [whole_numbers(each) for each in value] if isinstance(value, list) else value


def _part(given: Any) -> Part:
    return new_text_part(given) if isinstance(given, str) else new_data_part(given)


def _count(value: Any) -> int | None:
    whole = isinstance(value, int | float) and value == value // 1 and 0 <= value < 2**31
    return int(value) if whole else None
