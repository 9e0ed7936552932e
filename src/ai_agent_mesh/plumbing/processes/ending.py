"""How a process that was told to end does so, although something that it waits for is silent."""

import logging
import os
import threading

log = logging.getLogger(__name__)


def leave_within(seconds: float, code: int) -> None:
    """End this process with `code` if it is still there after so many seconds.

    For processes that hold nothing of their own: threads of libraries that wait for a database
    without end would otherwise keep one alive until somebody kills it.
    """
    timer = threading.Timer(seconds, _leave, (code,))
    timer.daemon = True
    timer.start()


def _leave(code: int) -> None:
    log.warning("something does not end: leaving without it")
    os._exit(code)
