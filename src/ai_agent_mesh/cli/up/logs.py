"""Keeps the logs of one machine small, so that a trouble that lasts cannot fill the disk."""

import asyncio
import logging
import os
import shutil
from pathlib import Path
from typing import NoReturn

log = logging.getLogger(__name__)

_BYTES = 32 * 2**20
_LOOK_S = 10.0


async def tend(folder: Path, every_s: float = _LOOK_S) -> NoReturn:
    """Look again and again at every log in the folder."""
    while True:
        await asyncio.to_thread(_look, folder)
        await asyncio.sleep(every_s)


def _look(folder: Path) -> None:
    for path in folder.glob("*.log"):
        keep_small(path)


def keep_small(path: Path, most: int = _BYTES) -> None:
    """Move a log's content to `.log.1` once it is large; its writer, who appends, goes on.

    Where there is no room for the copy, the content goes.
    """
    if not path.exists() or path.stat().st_size <= most:
        return
    aside = path.with_suffix(".log.1")
    try:
        shutil.copyfile(path, aside)
    except OSError as error:
        log.warning("%s is emptied: its content cannot be kept (%s)", path, error)
        aside.unlink(missing_ok=True)
    os.truncate(path, 0)
