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
latency: {agent_crud: {p50: 90ms}}
kpis: {platform: {uptime: 97%}}
alerting: {rates_over: 10m}
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
        assert re.search(r"  platform +99\.9% ", text)
        assert "Changes of what is promised count from" in text
        month = Month.of(datetime.now(UTC))
        stated = (await ask(address, key, f"/v1/sla/statements/{month}")).json()
        assert stated["playbook"] == default().digest
        objectives = {
            (one["category"], one["percentile"]): one["threshold_ms"]
            for one in (await ask(address, key, "/v1/slos")).json()["items"]
        }
        assert objectives["agent_crud", "p50"] == 100
        page = await ask(address, key, "/v1/slos", "text/html")
        assert "50% under 100 ms" in page.text
        assert "under 90 ms" not in page.text
        public = await ask(address, key, "/slos")
        assert public.text.count(">99.99%</td>") == 5
        assert "under 90 ms" not in public.text
        shown = (await ask(address, key, "/metrics")).text
        assert 'mesh_objective_ratio{slo="platform-availability"} 0.9999\n' in shown
        # A file is of the playbook that it is made from, but when asked for what is in force.
        goal = re.compile(r"record: slo:objective:ratio\n +expr: vector\((.*)\)")
        for more, promised in (((), "0.97"), (("--in-force",), "0.9999")):
            file = await crew.run("playbook", "render", "--to", "prometheus", *more)
            assert goal.search(file)[1] == promised  # type: ignore[index] # or fail
            assert "ratio_rate10m" in file
            named = f"promises of {month} by playbook {default().digest}"
            assert (named in file.splitlines()[0]) is bool(more)
        limit = (await ask(address, key, "/v1/agents")).headers["RateLimit-Policy"]
        assert "q=7;" in limit


async def ask(address: str, key: str, path: str, accept: str = "*/*") -> httpx.Response:
    """Read something as the holder of a key."""
    headers = {"Authorization": f"Bearer {key}", "Accept": accept}
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
        return await client.get(path, timeout=60)
