"""The tables of agents."""

from alembic import op

revision = "0004"
down_revision = "0003"

SQL = """
CREATE TABLE agent (
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  id text PRIMARY KEY,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('a2a', 'http', 'openai')),
  url text NOT NULL,
  description text NOT NULL DEFAULT '',
  labels jsonb NOT NULL DEFAULT '{}',
  model text,
  system_prompt text,
  idempotent boolean NOT NULL DEFAULT false,
  timeout_us bigint CHECK (timeout_us > 0),
  input_price numeric CHECK (input_price >= 0),
  output_price numeric CHECK (output_price >= 0),
  currency text,
  card jsonb,
  card_read_at timestamptz,
  credential bytea,  -- sealed by the vault for this very cell
  health text NOT NULL DEFAULT 'unknown' CHECK (health IN ('unknown', 'healthy', 'unhealthy')),
  failures integer NOT NULL DEFAULT 0,
  health_error text,
  checked_at timestamptz,
  check_due_at timestamptz NOT NULL DEFAULT now(),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, name),
  CHECK ((currency IS NULL) = (input_price IS NULL)
     AND (currency IS NULL) = (output_price IS NULL))
);
SELECT mesh_tenant_table('agent');
-- Operations count agents and see which checks are due; a sealed credential is none of theirs.
REVOKE SELECT ON agent FROM mesh_operations;
GRANT SELECT (tenant_id, id, name, kind, health, failures, checked_at, check_due_at, created_at)
  ON agent TO mesh_operations;
CREATE INDEX agent_page ON agent (tenant_id, id);
CREATE INDEX agent_due ON agent (check_due_at);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
