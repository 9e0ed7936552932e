"""A session for a receiver that may mean no good: no redirects, few bytes, and an end in time.

The timeouts of `requests` are between two bytes, and its answers are read whole, so a receiver
that drips would hold the sending thread for good, and one that pours would fill the memory.
"""

import threading
from contextlib import suppress
from socket import SHUT_RDWR, socket
from typing import Any

from requests.adapters import HTTPAdapter

import requests

#: A receiver says at most how many spans it did not take.
ANSWER_BYTES = 65_536


class BoundedSession(requests.Session):
    """Reads `ANSWER_BYTES` of an answer, and cuts its connections `total_s` after each request."""

    def __init__(self, total_s: float) -> None:
        super().__init__()
        self._total_s = total_s
        self._adapter = _Adapter()
        for scheme in ("http://", "https://"):
            self.mount(scheme, self._adapter)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request and return its answer, its body as far as it was read.

        Raises:
            requests.ConnectionError: no answer came, or none in time.
            requests.TooManyRedirects: it was a redirect, which the exporter takes for a success.
        """
        end = threading.Timer(min(self._total_s, options.get("timeout") or 60), self._adapter.cut)
        end.daemon = True
        end.start()
        try:
            response = super().send(
                request, **(options | {"allow_redirects": False, "stream": True})
            )
            with response:
                response._content = response.raw.read(ANSWER_BYTES, decode_content=True)  # noqa: SLF001 - as its own reader leaves it
        except OSError:
            raise
        except Exception as error:
            raise requests.ConnectionError(str(error)) from error
        finally:
            end.cancel()
        if response.is_redirect:
            raise requests.TooManyRedirects(response=response)
        return response


class _Adapter(HTTPAdapter):
    """Knows its open sockets, so that another thread can end what waits on them."""

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._open: list[socket] = []

    def cut(self) -> None:
        """End every connection; who waits on one is told that it broke."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(SHUT_RDWR)

    def get_connection_with_tls_context(self, *given: Any, **more: Any) -> Any:
        """Return the pool for a request, whose connections tell of their sockets."""
        pool = super().get_connection_with_tls_context(*given, **more)
        made, opened = pool.ConnectionCls, self._open

        class Watched(made):  # type: ignore[misc,valid-type] # http or https, direct or by proxy
            mesh_watched = True

            def connect(self) -> None:
                super().connect()
                opened[:] = [self.sock]

        if not hasattr(made, "mesh_watched"):
            pool.ConnectionCls = Watched
        return pool
