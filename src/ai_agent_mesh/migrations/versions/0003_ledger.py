"""The ledger: an insert-only inbox, append-only numbered entries, signed batches, roll-ups."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
-- What was recorded and is not numbered yet. Nearly always almost empty. An entry is known by its
-- id and its bytes: a call whose commit was confirmed too late leaves two, and hides neither.
CREATE TABLE ledger_inbox (
  id text NOT NULL,
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  at timestamptz NOT NULL,
  bytes bytea NOT NULL,
  digest bytea NOT NULL GENERATED ALWAYS AS (sha256(bytes)) STORED,
  PRIMARY KEY (id, digest)
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0);

CREATE TABLE ledger_entry (
  seq bigint PRIMARY KEY,
  tenant_id text NOT NULL,
  number bigint NOT NULL,
  id text NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  digest bytea NOT NULL,
  bytes bytea NOT NULL,
  batch bigint NOT NULL,
  UNIQUE (id, digest),
  UNIQUE (tenant_id, number)
);
-- Entries arrive nearly in the order of their moment: a few bytes a range of pages are enough.
CREATE INDEX ledger_entry_at ON ledger_entry USING brin (at)
  WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE ledger_batch (
  batch bigint PRIMARY KEY,
  first_seq bigint NOT NULL UNIQUE,
  last_seq bigint NOT NULL,
  root bytea NOT NULL,
  previous bytea NOT NULL,
  playbook text NOT NULL,
  at timestamptz NOT NULL,
  key_id text NOT NULL,
  signature bytea NOT NULL
);

CREATE TABLE ledger_key (
  key_id text PRIMARY KEY,
  public bytea NOT NULL,
  since timestamptz NOT NULL
);

-- The thresholds (microseconds: p50, p95, p99 by category) that batches were judged by.
CREATE TABLE ledger_playbook (
  digest text PRIMARY KEY,
  latency jsonb NOT NULL,
  since timestamptz NOT NULL
);

-- The one row that numbers, and the fence around it: whoever numbers holds this row's present
-- epoch, and every batch locks the row first. Taking the lease over raises the epoch.
CREATE TABLE ledger_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch bigint NOT NULL DEFAULT 0,
  holder text,
  leased_until timestamptz NOT NULL DEFAULT '-infinity',
  seq bigint NOT NULL DEFAULT 0,
  batch bigint NOT NULL DEFAULT 0,
  previous bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
) WITH (fillfactor = 20);
INSERT INTO ledger_head DEFAULT VALUES;

CREATE TABLE ledger_tenant_head (
  tenant_id text PRIMARY KEY,
  number bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE ledger_minute (
  tenant_id text NOT NULL,
  minute timestamptz NOT NULL,
  service text NOT NULL,
  category text NOT NULL,
  calls bigint NOT NULL,
  valid bigint NOT NULL,
  bad bigint NOT NULL,
  timed bigint NOT NULL,
  within_p50 bigint NOT NULL,
  within_p95 bigint NOT NULL,
  within_p99 bigint NOT NULL,
  PRIMARY KEY (tenant_id, minute, service, category)
) WITH (fillfactor = 80);
CREATE INDEX ledger_minute_minute ON ledger_minute (minute);

CREATE TABLE ledger_sketch (
  tenant_id text NOT NULL,
  minute timestamptz NOT NULL,
  service text NOT NULL,
  category text NOT NULL,
  bucket integer NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (tenant_id, minute, service, category, bucket)
) WITH (fillfactor = 80);
CREATE INDEX ledger_sketch_minute ON ledger_sketch (minute);
"""

# Rights alone bind the roles; the trigger binds the owner too.
APPEND_ONLY = """
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$;
REVOKE ALL ON FUNCTION ledger_is_append_only() FROM PUBLIC;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ledger_entry', 'ledger_batch', 'ledger_key', 'ledger_playbook'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()', name);
  END LOOP;
END
$$;
"""

RIGHTS = """
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ledger_inbox', 'ledger_entry', 'ledger_minute', 'ledger_sketch',
                              'ledger_tenant_head'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY numbering ON %I TO mesh_ledger
                    USING (true) WITH CHECK (true)', name);
    EXECUTE format('CREATE POLICY overview ON %I FOR SELECT TO mesh_operations USING (true)', name);
  END LOOP;
  -- A tenant reads its own evidence, and the probe's, which is public.
  FOREACH name IN ARRAY ARRAY['ledger_entry', 'ledger_minute', 'ledger_sketch'] LOOP
    EXECUTE format($policy$CREATE POLICY own_and_probe ON %I FOR SELECT TO mesh_app
                   USING (tenant_id = (SELECT mesh_tenant()) OR tenant_id = 'probe')$policy$, name);
    EXECUTE format('GRANT SELECT ON %I TO mesh_app', name);
  END LOOP;
END
$$;
CREATE POLICY own ON ledger_inbox FOR INSERT TO mesh_app
  WITH CHECK (tenant_id = (SELECT mesh_tenant()));
GRANT INSERT ON ledger_inbox TO mesh_app;
GRANT SELECT ON ledger_batch, ledger_key, ledger_playbook TO mesh_app;

GRANT SELECT, INSERT, DELETE ON ledger_inbox TO mesh_ledger;
GRANT SELECT, INSERT ON ledger_entry, ledger_batch, ledger_key, ledger_playbook TO mesh_ledger;
GRANT SELECT, INSERT, UPDATE ON ledger_tenant_head, ledger_minute, ledger_sketch TO mesh_ledger;
GRANT SELECT, UPDATE ON ledger_head TO mesh_ledger;

GRANT SELECT ON ledger_inbox, ledger_entry, ledger_batch, ledger_key, ledger_playbook, ledger_head,
  ledger_tenant_head, ledger_minute, ledger_sketch TO mesh_operations;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(TABLES)
    op.execute(APPEND_ONLY)
    op.execute(RIGHTS)
