"""The tables of agents."""

from alembic import op

revision = "0004"
down_revision = "0003"

SQL = """
SELECT 1;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
