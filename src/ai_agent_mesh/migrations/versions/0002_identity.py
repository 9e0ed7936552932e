"""The tables of identity."""

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = """
SELECT 1;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
