"""kill -9 of any part at any moment under load: nothing that was promised is lost or done twice."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import SystemRandom
from tempfile import mkdtemp

import pytest
from tests.soak.rounds import Killing, arena

ROUNDS = 10


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can reach, unlike pytest's private ones."""
    folder = Path(mkdtemp(prefix="mesh-killed-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_whatever_is_killed_under_load_nothing_is_lost_or_done_twice(folder: Path) -> None:
    """Ten rounds; `make soak` does a hundred of the same, and prints what it counts."""

    def tell(number: int, victim: str, told: Killing) -> None:
        print(f"round {number}: {victim}: {told.counted}")  # noqa: T201 - shown where it fails

    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - to draw the same victims again
    async with arena(folder, seed, lease_s=1.5, workers=2) as rounds:
        told = await rounds.run(ROUNDS, tell)
    assert not told.counted.faults
    assert sum(told.kills.values()) == ROUNDS
    assert told.counted.runs > 0
    assert told.counted.effects > 0
