"""A process that keeps dying is started again ever more slowly, and its log stays small."""

import asyncio
import logging
import re
from pathlib import Path

import pytest
from tests.e2e.up.conftest import surroundings

from ai_agent_mesh.cli.up.child import Child
from ai_agent_mesh.cli.up.logs import keep_small


async def test_one_that_keeps_dying_is_started_again_after_pauses_that_double(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child = Child("broken", ("no-such-word",), surroundings(), tmp_path)
    with caplog.at_level(logging.WARNING):
        keeping = asyncio.create_task(child.keep())
        async with asyncio.timeout(60):
            while child.deaths < 4:
                await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    said = re.findall(r"broken ended with exit code 2: starting it again in (\S+) s", caplog.text)
    assert said[:3] == ["0.25", "0.5", "1"]
    assert "no-such-word" in child.last_words() + child.log.read_text()


async def test_one_that_has_no_room_for_its_log_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    child = Child("roomless", ("no-such-word",), surroundings(), tmp_path / "none")
    with caplog.at_level(logging.WARNING):
        keeping = asyncio.create_task(child.keep())
        async with asyncio.timeout(60):
            while "does not start" not in caplog.text:
                await asyncio.sleep(0.02)
            (tmp_path / "none").mkdir()
            while child.deaths < 1:
                await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


def test_a_long_log_is_moved_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        keep_small(log, most=100)
        assert log.stat().st_size == 100
        writer.write(b"y")
        keep_small(log, most=100)
        writer.write(b"z")
    assert log.read_bytes() == b"z"
    assert log.with_suffix(".log.1").read_bytes() == b"x" * 100 + b"y"


def test_where_a_long_log_cannot_be_copied_it_is_emptied(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(b"x" * 100)
    log.with_suffix(".log.1").symlink_to("/dev/full")
    keep_small(log, most=10)
    assert log.read_bytes() == b""
