"""The database that `mesh up` stands on: the embedded server, or the one it is given."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from ai_agent_mesh.kernel.errors import Unavailable
from ai_agent_mesh.plumbing.postgres.embedded import EmbeddedServer, Urls
from ai_agent_mesh.settings import Settings

log = logging.getLogger(__name__)

_LOOK_S = 60.0
_BACKOFF = wait_exponential(multiplier=0.25, max=15)


class Store:
    """A running database: its addresses, and its process where that is ours."""

    def __init__(self, urls: Urls, server: EmbeddedServer | None) -> None:
        self.urls = urls
        self._server = server

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when the server is somebody else's."""
        return self._server.pid if self._server else None

    async def keep(self) -> NoReturn:
        """Start the embedded server again whenever it ends."""
        while True:
            if self._server is None:
                await asyncio.Event().wait()
            else:
                code = await self._server.wait()
                log.warning("PostgreSQL ended with exit code %s: starting it again", code)
                await self._again(self._server)

    async def tend(self) -> NoReturn:
        """Keep the embedded server's logs small."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._server is not None:
                await self._server.shorten_logs()

    async def _again(self, server: EmbeddedServer) -> None:
        retry = retry_if_exception_type(Unavailable)
        async for attempt in AsyncRetrying(wait=_BACKOFF, retry=retry, before_sleep=_say):
            with attempt:
                await server.restart()


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """Take DATABASE_URL when it is set, else run the embedded server while this is open."""
    if settings.database_url:
        login = settings.database_url
        yield Store(Urls(migrate=settings.migrate_url or login, login=login), None)
        return
    server = EmbeddedServer(settings.data / "postgres")
    urls = await server.start()
    try:
        yield Store(urls, server)
    finally:
        await server.stop()


def _say(state: RetryCallState) -> None:
    log.warning("%s", state.outcome and state.outcome.exception())
