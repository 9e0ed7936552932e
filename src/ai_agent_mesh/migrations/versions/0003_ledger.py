"""The tables of ledger."""

from alembic import op

revision = "0003"
down_revision = "0002"

SQL = """
SELECT 1;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
