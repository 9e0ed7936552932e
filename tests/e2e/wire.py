"""A wire to PostgreSQL that can be cut at the worst moment: when a commit is made and not yet told.

It carries bytes between a port of this machine and the real server; nothing is answered by itself.
It has a thread of its own, for those who block theirs while they connect.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit, urlunsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Cut:
    """Where the wire is to be cut: at the end of what a session does that said `statement`."""

    statement: bytes
    at: bytes
    #: True: the server did it, and its answer is lost. False: it never heard of it.
    told: bool
    done: threading.Event = field(default_factory=threading.Event)


class Wire:
    """The wire to one server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cut: Cut | None = None
        self._down = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()

    @property
    def url(self) -> str:
        """Return the address of this end."""
        assert self._server is not None
        parts = urlsplit(self._url)
        user = parts.netloc.rpartition("@")[0]
        port = self._server.sockets[0].getsockname()[1]
        return urlunsplit(
            parts._replace(netloc=f"{user}@127.0.0.1:{port}", query="sslmode=disable")
        )

    def cut(self, statement: bytes, *, at: bytes = b"COMMIT\0", told: bool = True) -> Cut:
        """Cut once, when a session that has said this statement says, or is answered, `at`."""
        self._cut = Cut(statement, at, told)
        return self._cut

    def down(self) -> None:
        """Hang up on everybody, and let nobody in."""
        self._down = True
        self._loop.call_soon_threadsafe(self._hang_up)

    def _hang_up(self) -> None:
        for end in self._ends:
            end.close()

    def up(self) -> None:
        """Let everybody in again."""
        self._down = False

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            writer.close()
            return
        above, below = await self._reach()
        ends = {writer, below}
        self._ends |= ends
        said: list[bytes] = []
        try:
            forth = asyncio.create_task(self._pass(reader, below, said, answers=False))
            back = asyncio.create_task(self._pass(above, writer, said, answers=True))
            await asyncio.wait([forth, back], return_when=asyncio.FIRST_COMPLETED)
            forth.cancel()
            back.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)
        finally:
            self._ends -= ends
            for end in ends:
                end.close()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        said: list[bytes],
        *,
        answers: bool,
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                cut = self._cut
                if cut is not None and not answers and cut.statement in data:
                    said.append(cut.statement)
                here = cut is not None and cut.statement in said and cut.at in data
                if cut is not None and here and cut.told is answers:
                    self._cut = None
                    cut.done.set()
                    return
                sink.write(data)
                await sink.drain()

    async def _reach(self) -> Streams:
        parts = urlsplit(self._url)
        asked = parse_qs(parts.query)
        if "host" in asked:
            port = (asked.get("port") or [str(parts.port or 5432)])[0]
            return await asyncio.open_unix_connection(f"{asked['host'][0]}/.s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, parts.port or 5432)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    """Lay a wire to the server of this address."""
    laid = Wire(url)
    thread = threading.Thread(target=laid._loop.run_forever, name="wire")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(laid._open(), laid._loop).result(10)
        yield laid
        laid.down()
        asyncio.run_coroutine_threadsafe(laid._close(), laid._loop).result(10)
    finally:
        laid._loop.call_soon_threadsafe(laid._loop.stop)
        thread.join()
        laid._loop.close()
