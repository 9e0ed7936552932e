"""Roles, the rule that every tenant table is under, and the memory of idempotent requests."""

from alembic import op

revision = "0001"
down_revision = None

SQL = """
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['mesh_app', 'mesh_operations', 'mesh_ledger', 'mesh_dbos'] LOOP
    BEGIN
      EXECUTE format(
        'CREATE ROLE %I NOLOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', wanted);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;  -- roles belong to the server, and another database of it may have made them
    END;
  END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO mesh_app, mesh_operations, mesh_ledger, mesh_dbos;

-- Without a tenant the setting is NULL or empty, and equals no row's tenant.
CREATE FUNCTION mesh_tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  RETURN current_setting('mesh.tenant_id', true);

-- Put a table under the rule: the application sees and writes its tenant's rows alone, operations
-- read all of them, and the owner is bound like anybody else.
CREATE FUNCTION mesh_tenant_table(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY own ON %s TO mesh_app
                  USING (tenant_id = (SELECT mesh_tenant()))
                  WITH CHECK (tenant_id = (SELECT mesh_tenant()))', name);
  EXECUTE format('CREATE POLICY overview ON %s FOR SELECT TO mesh_operations USING (true)', name);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO mesh_app', name);
  EXECUTE format('GRANT SELECT ON %s TO mesh_operations', name);
END
$$;
REVOKE ALL ON FUNCTION mesh_tenant_table(regclass) FROM PUBLIC;

-- The first answer to a creating request, given again when its key comes back. A row appears in
-- the transaction of the change itself, so a second request waits for the first to end.
CREATE TABLE idempotency (
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  key text NOT NULL,
  request bytea NOT NULL,
  status smallint,
  headers jsonb,
  body bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, key)
);
SELECT mesh_tenant_table('idempotency');
CREATE INDEX idempotency_age ON idempotency (created_at);
-- The API's upkeep drops what is older than a day, for every tenant, and can touch nothing younger.
CREATE POLICY forgotten ON idempotency TO mesh_ledger USING (created_at < now() - interval '1 day');
GRANT SELECT, DELETE ON idempotency TO mesh_ledger;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
