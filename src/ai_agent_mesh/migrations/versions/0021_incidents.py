"""Incidents: as they stand, and every act that made them so."""

from alembic import op

revision = "0021"
down_revision = "0020"

# No tenants' tables: everybody reads them, and the tenant `platform` alone adds to them. An act is
# never altered, and no incident stands other than as an act of its left it.
SQL = """
CREATE TABLE incident_act (
  incident text NOT NULL,
  ordinal integer NOT NULL,
  verb text NOT NULL,
  at timestamptz NOT NULL,
  by text NOT NULL,
  entry text NOT NULL UNIQUE,
  said text NOT NULL,
  PRIMARY KEY (incident, ordinal)
);
CREATE TABLE incident (
  id text PRIMARY KEY,
  version integer NOT NULL,
  changed_at timestamptz NOT NULL,
  title text NOT NULL,
  severity text NOT NULL,
  services text[] NOT NULL,
  stage text NOT NULL,
  began_at timestamptz NOT NULL,
  opened_at timestamptz NOT NULL,
  opened_by text NOT NULL,
  alert text,
  resolved_at timestamptz CHECK (resolved_at > began_at),
  cause text,
  CHECK ((resolved_at IS NULL) = (cause IS NULL)),
  FOREIGN KEY (id, version) REFERENCES incident_act (incident, ordinal)
);
ALTER TABLE incident ENABLE ROW LEVEL SECURITY;
ALTER TABLE incident FORCE ROW LEVEL SECURITY;
ALTER TABLE incident_act ENABLE ROW LEVEL SECURITY;
ALTER TABLE incident_act FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON incident FOR SELECT TO mesh_app, mesh_operations USING (true);
CREATE POLICY opening ON incident FOR INSERT TO mesh_app
  WITH CHECK ((SELECT mesh_tenant()) = 'platform');
CREATE POLICY changing ON incident FOR UPDATE TO mesh_app
  USING ((SELECT mesh_tenant()) = 'platform') WITH CHECK ((SELECT mesh_tenant()) = 'platform');
CREATE POLICY everybody ON incident_act FOR SELECT TO mesh_app, mesh_operations USING (true);
CREATE POLICY acting ON incident_act FOR INSERT TO mesh_app
  WITH CHECK ((SELECT mesh_tenant()) = 'platform');
GRANT SELECT, INSERT, UPDATE (version, changed_at, title, severity, services, stage, began_at,
  resolved_at, cause) ON incident TO mesh_app;
GRANT SELECT, INSERT ON incident_act TO mesh_app;
GRANT SELECT ON incident, incident_act TO mesh_operations;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(SQL)
