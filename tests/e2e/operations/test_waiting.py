"""Whoever changes a promise within a month is told that it waits; other changes count at once."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
from tests.e2e.crew import Crew, until

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook import default

CHANGED = """
tiers: {professional: {uptime: 99.5%, requests_per_minute: 7}}
"""


async def test_a_promise_changed_within_a_month_waits_and_a_rate_limit_does_not(
    database_urls: tuple[str, str], tmp_path: Path
) -> None:
    login, owner = database_urls
    async with Crew.over(tmp_path, login, owner) as crew:
        made = await crew.run("tenant", "create", "acme", "--tier", "professional", "--json")
        key = json.loads(made)["issued"]["text"]
        first, address = await crew.api()

        async def numbered() -> bool:
            return bool((await ask(address, key, "/v1/ledger/entries")).json()["items"])

        await until(numbered)
        await first.stop()
        assert "playbook.waits" not in first.said()
        changed = tmp_path / "changed.yaml"
        changed.write_text(CHANGED)
        crew.env["MESH_PLAYBOOK"] = str(changed)
        second, address = await crew.api()
        assert "tiers.professional.uptime (99.9% -> 99.5%)" in second.said()
        assert "requests_per_minute" not in second.said()
        text = await crew.run("slo", "--tenant", "acme")
        assert re.search(r"availability: platform +99\.9% ", text)
        assert "Changes of what is promised count from" in text
        month = Month.of(datetime.now(UTC))
        stated = (await ask(address, key, f"/v1/sla/statements/{month}")).json()
        assert stated["playbook"] == default().digest
        limit = (await ask(address, key, "/v1/agents")).headers["RateLimit-Policy"]
        assert "q=7;" in limit


async def ask(address: str, key: str, path: str) -> httpx.Response:
    """Read something as the holder of a key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
        return await client.get(path, timeout=60)
