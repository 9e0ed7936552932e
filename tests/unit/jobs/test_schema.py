"""The DBOS schema is laid inside our own transaction, and DBOS finds it complete."""

from ai_agent_mesh.plumbing.jobs import schema_sql


def test_no_statement_needs_a_connection_of_its_own() -> None:
    statements = schema_sql()
    assert len(statements) > 50
    assert not any("CONCURRENTLY" in statement for statement in statements)


def test_the_version_is_the_installed_ones() -> None:
    from dbos._migration import get_dbos_migrations

    newest = len(get_dbos_migrations("dbos", use_listen_notify=False))
    assert schema_sql()[-1].endswith(f"VALUES ({newest})")
