"""Takes the database away for a minute under a light load, and prints what came of it.

`python -m tests.e2e.away.minute [SECONDS]`. It asserts nothing: docs/reliability.md quotes it.
"""

import asyncio
import sys
from collections import Counter
from functools import partial
from time import monotonic

import httpx
from tests.e2e.away.conftest import House, raised
from tests.e2e.away.test_database import PAUSE, completed, put
from tests.e2e.crew import checks, until

_EVERY_S = 0.2
_AGENT = {"kind": "http", "url": "http://127.0.0.1:9/"}


class _Callers:
    """Reads, registers agents and starts runs, and remembers what each was answered and when."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.answers: Counter[int] = Counter()
        self.receipts: set[str] = set()
        self.runs: list[str] = []
        self.slowest_s = 0.0
        self.served_at = 0.0
        self._made = 0

    async def keep(self) -> None:
        """Begin a call every so often, whether or not the last ones were answered."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._made += 1
                group.create_task(self._call(self._made))
                await asyncio.sleep(_EVERY_S)

    async def _call(self, number: int) -> None:
        began = monotonic()
        match number % 3:
            case 0:
                answer = await self._client.get("/v1/policies")
            case 1:
                agent = {"name": f"a{number}", **_AGENT}
                answer = await self._client.post("/v1/agents", json=agent)
            case _:
                answer = await self._client.post("/v1/workflows/pausing/runs", json={"input": {}})
        self.slowest_s = max(self.slowest_s, monotonic() - began)
        self.answers[answer.status_code] += 1
        if answer.is_success:
            self.served_at = monotonic()
        if receipt := answer.headers.get("Mesh-Receipt"):
            self.receipts.add(receipt.partition(";")[0])
        if answer.status_code == 202:
            self.runs.append(answer.json()["id"])


def tell(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


async def _measure(house: House, client: httpx.AsyncClient, away_s: float) -> None:
    await put(client, "pausing", PAUSE)
    callers = _Callers(client)
    calling = asyncio.create_task(callers.keep())
    await asyncio.sleep(5)
    await house.kill_database()
    await asyncio.sleep(away_s)
    await house.server.restart()
    back = monotonic()
    await until(lambda: _since(callers, back))
    tell(f"served again after           {callers.served_at - back:6.1f} s")
    await until(lambda: _ready(house))
    tell(f"ready again after            {monotonic() - back:6.1f} s")
    accepted = list(callers.runs)
    for run in accepted:
        await until(partial(completed, client, run), 300)
    tell(f"all {len(accepted)} accepted runs done {monotonic() - back:6.1f} s")
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    await until(lambda: _kept(house, callers.receipts))
    tell(f"every entry numbered after   {monotonic() - back:6.1f} s")
    tell(f"answers                      {dict(callers.answers)}, {len(callers.receipts)} receipts")
    tell(f"slowest answer               {callers.slowest_s:6.1f} s")
    late = await house.value(
        "SELECT count(*) FROM ledger_entry"
        " WHERE convert_from(bytes, 'UTF8')::jsonb ->> 'late' = 'true'"
    )
    tell(f"entries imported late        {late:6}")


async def _since(callers: _Callers, moment: float) -> bool:
    return callers.served_at > moment


async def _ready(house: House) -> bool:
    return not await checks(house.address)


async def _kept(house: House, receipts: set[str]) -> bool:
    found = await house.value("SELECT array_agg(id) FROM ledger_entry")
    return not receipts - set(found)


async def main(away_s: float) -> None:
    """Raise a house, take its database away, and tell."""
    async with raised() as house, house.client() as client:
        await _measure(house, client, away_s)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
