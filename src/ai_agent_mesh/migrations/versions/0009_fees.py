"""The currency that a tenant's monthly fee is in."""

from alembic import op

revision = "0009"
down_revision = "0008"

SQL = """
ALTER TABLE tenant ADD COLUMN currency text CHECK (currency ~ '^[A-Z]{3}$');
ALTER TABLE tenant_tier ADD COLUMN currency text CHECK (currency ~ '^[A-Z]{3}$');

-- Row-level security binds the owner too, and this is about every tenant.
ALTER TABLE tenant NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tenant_tier NO FORCE ROW LEVEL SECURITY;
UPDATE tenant SET currency = 'USD' WHERE monthly_fee IS NOT NULL;
UPDATE tenant_tier SET currency = 'USD' WHERE monthly_fee IS NOT NULL;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
ALTER TABLE tenant_tier FORCE ROW LEVEL SECURITY;

ALTER TABLE tenant ADD CHECK ((monthly_fee IS NULL) = (currency IS NULL));
ALTER TABLE tenant_tier ADD CHECK ((monthly_fee IS NULL) = (currency IS NULL));
"""


def upgrade() -> None:
    """Add it."""
    op.execute(SQL)
