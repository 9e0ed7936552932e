"""Which batch was the last before a month: what it names judges that month."""

from alembic import op

revision = "0020"
down_revision = "0019"

SQL = "CREATE INDEX ledger_batch_at ON ledger_batch (at, batch);"


def upgrade() -> None:
    """Create it."""
    op.execute(SQL)
