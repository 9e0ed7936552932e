"""A command does not wait for the import of what it does not use."""

import subprocess
import sys

import pytest

#: What only serving, migrating, sealing, drawing or counting files needs.
_HEAVY = {
    "a2a", "alembic", "dbos", "duckdb", "jinja2", "litestar", "opentelemetry", "sqlalchemy",
    "tink", "uvicorn",
}  # fmt: skip
#: What only a database, and what is outside, is reached by.
_CONNECTED = {"asyncpg", "cedarpy", "httpx", "limits", "prometheus_client", "structlog"}
_OFFLINE = ("cli", "cli.playbook", "cli.sla", "cli.ledger", "operations.statements")


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        (_OFFLINE, _HEAVY | _CONNECTED),
        (("cli.slo", "wiring", "operations.objectives", "product.ledger"), _HEAVY),
    ],
    ids=["what needs no database", "what needs one"],
)
def test_a_command_imports_nothing_that_it_does_not_use(
    modules: tuple[str, ...], unwanted: set[str]
) -> None:
    named = ", ".join(f"ai_agent_mesh.{module}" for module in modules)
    asked = f"import sys, {named}; print(*sorted({unwanted!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert found.stdout.split() == []
