"""Tenants and the terms they were on, their keysets, users, keys and counted requests."""

from alembic import op

revision = "0002"
down_revision = "0001"

SQL = """
CREATE TABLE tenant (
  id text PRIMARY KEY,
  name text NOT NULL,
  tier text NOT NULL CHECK (tier IN ('free', 'professional', 'enterprise')),
  monthly_fee numeric CHECK (monthly_fee >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  version int NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX tenant_name ON tenant (lower(name));

-- The terms of the contract over time: each row holds from `since` until the next one.
CREATE TABLE tenant_tier (
  tenant_id text NOT NULL DEFAULT mesh_tenant() REFERENCES tenant (id),
  since timestamptz NOT NULL,
  tier text NOT NULL CHECK (tier IN ('free', 'professional', 'enterprise')),
  monthly_fee numeric CHECK (monthly_fee >= 0),
  PRIMARY KEY (tenant_id, since)
);

-- Before row-level security, which binds the owner of the tables as well.
INSERT INTO tenant (id, name, tier) VALUES
  ('platform', 'platform', 'enterprise'),
  ('probe', 'probe', 'enterprise');
INSERT INTO tenant_tier (tenant_id, since, tier) SELECT id, created_at, tier FROM tenant;

-- A tenant is its own row: whoever creates one works inside the new tenant's id.
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenant TO mesh_app
  USING (id = (SELECT mesh_tenant())) WITH CHECK (id = (SELECT mesh_tenant()));
CREATE POLICY overview ON tenant FOR SELECT TO mesh_operations USING (true);
GRANT SELECT, INSERT, UPDATE ON tenant TO mesh_app;
GRANT SELECT ON tenant TO mesh_operations;
SELECT mesh_tenant_table('tenant_tier');

CREATE TABLE tenant_keyset (
  tenant_id text PRIMARY KEY DEFAULT mesh_tenant() REFERENCES tenant (id),
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
SELECT mesh_tenant_table('tenant_keyset');
REVOKE SELECT ON tenant_keyset FROM mesh_operations;

CREATE TABLE app_user (
  id text PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT mesh_tenant() REFERENCES tenant (id),
  email text NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  version int NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, id)
);
CREATE UNIQUE INDEX app_user_email ON app_user (tenant_id, lower(email));
SELECT mesh_tenant_table('app_user');

-- A key belongs to a user and has the user's role, or to a named service with a role of its own.
CREATE TABLE api_key (
  id text PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT mesh_tenant() REFERENCES tenant (id),
  user_id text,
  service text,
  role text,
  digest bytea NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  last_used_at timestamptz,
  CHECK ((user_id IS NULL) = (service IS NOT NULL)),
  CHECK ((service IS NULL) = (role IS NULL)),
  CHECK (expires_at > created_at),
  FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX api_key_owner ON api_key (tenant_id, user_id, service);
SELECT mesh_tenant_table('api_key');
REVOKE SELECT ON api_key FROM mesh_operations;
-- A key is looked up by its id before its tenant is known.
CREATE POLICY lookup ON api_key FOR SELECT TO mesh_app
  USING (id = (SELECT current_setting('mesh.key_id', true)));

-- The moments of each tenant's counted requests, where several API processes count together.
-- Nothing is lost that matters when a crash empties it: a window is refilled within itself.
CREATE UNLOGGED TABLE rate_window (
  key text PRIMARY KEY,
  hits timestamptz[] NOT NULL,
  -- Whether the last request was counted, and when it came.
  allowed boolean NOT NULL,
  at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_window TO mesh_app;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
