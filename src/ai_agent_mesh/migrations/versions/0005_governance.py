"""Policies of each tenant, every version they ever had, and the version of the whole set."""

from alembic import op

revision = "0005"
down_revision = "0004"

SQL = """
-- One row a tenant. Every change of a policy takes the next version here, in its own transaction,
-- so that two writers follow one another and each decision can say which set it was made by.
CREATE TABLE policy_set (
  tenant_id text PRIMARY KEY DEFAULT mesh_tenant(),
  version bigint NOT NULL,
  stamp uuid NOT NULL DEFAULT gen_random_uuid()
);
SELECT mesh_tenant_table('policy_set');
REVOKE DELETE ON policy_set FROM mesh_app;

CREATE TABLE policy (
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  id text NOT NULL,
  name text NOT NULL,
  text text NOT NULL,
  description text NOT NULL DEFAULT '',
  enabled boolean NOT NULL DEFAULT true,
  version bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  updated_by text,
  PRIMARY KEY (tenant_id, name),
  UNIQUE (tenant_id, id)
);
SELECT mesh_tenant_table('policy');

CREATE TABLE policy_version (
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  name text NOT NULL,
  version bigint NOT NULL,
  policy_id text NOT NULL,
  text text NOT NULL,
  description text NOT NULL,
  enabled boolean NOT NULL,
  deleted boolean NOT NULL,
  set_version bigint NOT NULL,
  at timestamptz NOT NULL,
  by text,
  PRIMARY KEY (tenant_id, name, version)
);
SELECT mesh_tenant_table('policy_version');
-- What a policy said stays as it was said: a decision names the version.
REVOKE UPDATE, DELETE ON policy_version FROM mesh_app;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
