"""From the door to a stranger's machine: a statement is fetched, bundled, and proven by itself."""

import asyncio
import base64
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from tests.e2e.conftest import Stack, environment

from ai_agent_mesh.operations.statements import verified

ROOT = Path(__file__).parents[3]
#: What no verifier may need.
SERVER = ("asyncpg", "litestar", "uvicorn", "dbos", "tink", "cedarpy", "alembic", "httpx", "jinja2")
STRANGER = f"""
import sys
for name in {SERVER!r}:
    sys.modules[name] = None  # importing it now is an error
from ai_agent_mesh.cli import main
main()
"""


def documented() -> dict[str, Any]:
    """Return what the documentation's own program defines."""
    page = (ROOT / "docs" / "statements.md").read_text()
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)  # noqa: S102 - our own page
    return names


async def test_a_statement_is_proven_without_the_platform(stack: Stack, tmp_path: Path) -> None:
    tenant, key = await stack.tenant_key("proven", "enterprise")
    async with stack.client(key) as client:
        for _ in range(3):
            assert (await client.get("/v1/agents")).status_code == 200
        public = base64.b64decode((await client.get("/v1/ledger/key")).json()["public"])
        month = f"{datetime.now(UTC):%Y-%m}"
        stated = (await client.get(f"/v1/sla/statements/{month}")).json()
        html = {"Accept": "text/html"}
        answer = await client.get(f"/v1/sla/statements/{month}", headers=html)
        ndjson = {"Accept": "application/x-ndjson"}
        served = await client.get(f"/v1/sla/statements/{month}", headers=ndjson)
    assert served.headers["content-type"].startswith("application/x-ndjson")
    verdict = verified(served.content.splitlines(keepends=True), pinned=[public])
    assert (verdict.failures, verdict.drawn_from) == ([], "entries")
    assert verdict.statement
    assert verdict.statement.tenant == tenant
    assert "script-src 'sha256-" in answer.headers["content-security-policy"]
    page = tmp_path / "statement.html"
    page.write_text(answer.text)
    documented()["check"](dict(stated), public)
    with pytest.raises(InvalidSignature):
        documented()["check"]({**stated, "tenant_name": "another"}, public)

    bundle = tmp_path / "bundle.ndjson"
    since = f"{datetime.now(UTC) - timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
    span = ("--tenant", tenant, "--since", since, "--bundle", str(bundle))
    told = await stack.run("sla", "statement", *span)
    assert "SERVICE LEVEL STATEMENT" in told
    assert bundle.stat().st_mode & 0o077 == 0

    async def stranger(*words: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", STRANGER, "sla", "verify", *words,
            env=environment(tmp_path / "nowhere"), stdout=-1, stderr=-1,
        )  # fmt: skip
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    status, out, err = await stranger(str(bundle), "--key", base64.b64encode(public).decode())
    assert (status, err) == (0, "")
    assert "Every figure recomputed from" in out
    assert "the key that you trust" in out
    status, out, err = await stranger(str(page))
    assert (status, err) == (0, "")
    assert "the file's own key" in out
    lines = bundle.read_bytes()
    bundle.write_bytes(
        lines.replace(b'\\"tenant_name\\":\\"proven\\"', b'\\"tenant_name\\":\\"broken\\"')
    )
    status, out, err = await stranger(str(bundle))
    assert status == 1
    assert "FAILED signature at statement" in out
    assert "mesh: The statement is not proven" in err
