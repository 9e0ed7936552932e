"""The DBOS schema as SQL that runs inside our own migration's transaction."""

# Gives `notifications` a primary key where an old release made the table without one. DBOS leaves
# it out of a new schema too.
_FOR_OLD_TABLES = 10


def schema_sql(schema: str = "dbos") -> list[str]:
    """Return the statements that bring an empty schema to what the installed DBOS needs.

    `DBOS.migrate` would do the same on a connection of its own, but it builds indexes
    CONCURRENTLY, which waits for every open transaction, ours that migrates among them. A new
    schema has no rows to keep available, so plain CREATE INDEX does.
    """
    from dbos._migration import get_dbos_migrations  # the public `DBOS.migrate` cannot share ours

    steps = get_dbos_migrations(schema, use_listen_notify=False)
    plain = [
        step.replace(" CONCURRENTLY", "")
        for number, step in enumerate(steps, 1)
        if step.strip() and number != _FOR_OLD_TABLES
    ]
    return [
        *plain,
        f"CREATE TABLE {schema}.dbos_migrations (version BIGINT NOT NULL PRIMARY KEY)",
        f"INSERT INTO {schema}.dbos_migrations (version) VALUES ({len(steps)})",  # noqa: S608 - ours
    ]
