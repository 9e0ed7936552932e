"""The tables of orchestration."""

from alembic import op

revision = "0007"
down_revision = "0006"

SQL = """
SELECT 1;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
