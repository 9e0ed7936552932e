"""A host whose clock is two seconds off says that it is not ready, and why."""

import json
from pathlib import Path

import pytest
from tests.conftest import NOTHING_SKIPPED
from tests.e2e.away.conftest import House
from tests.e2e.crew import answer, checks, until


def ahead(seconds: int) -> dict[str, str]:
    """Return an environment in which a process's clock is ahead, and its stopwatches are not."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        if NOTHING_SKIPPED:
            pytest.fail("libfaketime is absent, and nothing may be skipped here")
        pytest.skip("libfaketime is not installed")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"+{seconds}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


async def test_a_clock_two_seconds_off_makes_a_process_not_ready_and_doctor_says_so(
    house: House,
) -> None:
    _, address = await house.crew.api(**ahead(2))
    assert "database's clock is 2" in str((await checks(address))["clock"])

    async def ready() -> bool:
        return await answer(house.address, "/readyz") == 200

    await until(ready)  # the others are not to blame
    process = await house.crew.start("doctor", "--json", **ahead(2))
    await process.process.wait()
    found = {one["check"]: one for one in json.loads(process.said())["findings"]}["clock"]
    assert (found["state"], "time server" in found["mend"]) == ("fail", True)
