"""A few child processes that evaluate expressions; one that hangs or dies is replaced."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from ai_agent_mesh.product.orchestration.expressions import child as _child
from ai_agent_mesh.product.orchestration.expressions.model import ExpressionFailed, Json, Scope
from ai_agent_mesh.product.orchestration.expressions.paths import NOT_A_PATH, follow


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one child may use, and how much of it one request may."""

    #: Processor time for one request.
    turn_s: float = 2.0
    #: What a request may last on the clock: only a machine that stands still needs so long.
    wall_s: float = 60.0
    memory_bytes: int = 512 * 1024 * 1024
    #: Over the child's whole life; a child is replaced long before by `requests`.
    cpu_s: int = 120
    requests: int = 20_000
    answer_bytes: int = 16 * 1024 * 1024


class _Gone(Exception):  # noqa: N818 - it says what the child is
    """The child ended in the middle of a request."""


class _Child:
    def __init__(self, process: asyncio.subprocess.Process, bounds: Bounds) -> None:
        if process.stdin is None or process.stdout is None:
            raise TypeError("an expression child is started with pipes")
        self._process = process
        self._stdin, self._stdout = process.stdin, process.stdout
        self._bounds = bounds
        self.left = bounds.requests

    @classmethod
    async def start(cls, bounds: Bounds) -> Self:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(Path(_child.__file__)),
            str(bounds.memory_bytes),
            str(bounds.cpu_s),
            str(bounds.turn_s),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            limit=bounds.answer_bytes,
        )
        return cls(process, bounds)

    async def ask(self, request: dict[str, Json]) -> Json:
        self.left -= 1
        try:
            self._stdin.write(msgspec.json.encode(request) + b"\n")
            async with asyncio.timeout(self._bounds.wall_s):
                await self._stdin.drain()
                line = await self._stdout.readline()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _Gone from error
        if not line.endswith(b"\n"):
            if await self._process.wait() == -signal.SIGPROF:
                raise TimeoutError
            raise _Gone
        return msgspec.json.decode(line)

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class ExpressionPool:
    """Evaluates jq programs in confined children; open it as an async context."""

    def __init__(self, size: int = 2, bounds: Bounds | None = None) -> None:
        self._size = size
        self._bounds = bounds or Bounds()
        self._idle: list[_Child] = []
        self._places = asyncio.Semaphore(size)

    async def __aenter__(self) -> Self:
        """Start nothing yet: a child is started when it is first needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the children."""
        idle, self._idle = self._idle, []
        for child in idle:
            await child.end()

    async def evaluate(self, programs: Sequence[str], scope: Scope) -> list[Json]:
        """Return each program's single value, all in one round trip.

        Plain paths such as `.a.b` and `$context.total` are followed here, without a child.

        Raises:
            ExpressionFailed: one failed, took too long or too much, or gave several values.
        """
        values = [follow(program, scope) for program in programs]
        if NOT_A_PATH not in values:
            return values
        request = {"d": scope.data, "v": {"__now": scope.now_s, **scope.variables}, "p": programs}
        answers = await self._ask(request)
        for index, answer in enumerate(answers):
            if "error" in answer:
                raise ExpressionFailed(index, answer["error"])
        return [answer["ok"] for answer in answers]

    async def check(self, programs: Sequence[tuple[str, Sequence[str]]]) -> list[str | None]:
        """Compile each (program, variable names); return what is wrong with it, or None."""
        found: list[str | None] = []
        for since in range(0, len(programs), _CHECKED_AT_ONCE):
            part = programs[since : since + _CHECKED_AT_ONCE]
            try:
                found += await self._ask({"check": part})
            except ExpressionFailed as error:
                found += [str(error)] * len(part)
        return found

    async def _ask(self, request: dict[str, Json]) -> Json:
        try:
            try:
                return await self._try(request)
            except _Gone:  # perhaps an old child at the end of its rations: once more on a new one
                return await self._try(request, fresh=True)
        except _Gone as error:
            raise ExpressionFailed(0, "needs more memory or time than it may have") from error
        except TimeoutError as error:
            reason = f"takes longer than {self._bounds.turn_s:g} s"
            raise ExpressionFailed(0, reason) from error
        except ValueError as error:  # asyncio says so of a line beyond the limit
            raise ExpressionFailed(0, "gives more than an answer may hold") from error

    async def _try(self, request: dict[str, Json], *, fresh: bool = False) -> Json:
        async with self._child(fresh=fresh) as child:
            return await child.ask(request)

    @asynccontextmanager
    async def _child(self, *, fresh: bool) -> AsyncIterator[_Child]:
        async with self._places:
            reuse = self._idle.pop() if self._idle and not fresh else None
            child = reuse or await _Child.start(self._bounds)
            try:
                yield child
            except BaseException:
                await child.end()
                raise
            if child.left > 0 and len(self._idle) < self._size:
                self._idle.append(child)
            else:
                await child.end()


_CHECKED_AT_ONCE = 64
