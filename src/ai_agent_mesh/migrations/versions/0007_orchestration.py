"""Workflow definitions, runs with their journal, approvals, worker leases, and the DBOS schema."""

from alembic import op

from ai_agent_mesh.plumbing.jobs.schema import schema_sql

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE workflow (
  id text PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  name text NOT NULL,
  version text NOT NULL,
  namespace text NOT NULL,
  definition jsonb NOT NULL,
  source text NOT NULL,
  digest text NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  disabled_at timestamptz,
  UNIQUE (tenant_id, name, version)
);
SELECT mesh_tenant_table('workflow');
CREATE INDEX workflow_newest ON workflow (tenant_id, name, id DESC);

-- A run is handed from segment to segment: each wait and each approval ends one, and its wake is
-- the enqueueing of the next. Only the segment that holds the row (owner) may write.
CREATE TABLE run (
  id text PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  workflow_id text NOT NULL REFERENCES workflow,
  workflow text NOT NULL,
  version text NOT NULL,
  state text NOT NULL CHECK (state IN
    ('pending', 'running', 'waiting', 'completed', 'faulted', 'cancelled')),
  input jsonb NOT NULL,
  output jsonb,
  error jsonb,
  -- The journal row of the error that ended the run: what a resumed run does again.
  fault_key text,
  segment int NOT NULL DEFAULT 1,
  owner text,
  actor text NOT NULL,
  role text NOT NULL,
  tier text NOT NULL,
  trace_id text NOT NULL,
  span_id text NOT NULL,
  request_id text,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  resumed_at timestamptz,
  ended_at timestamptz
);
SELECT mesh_tenant_table('run');
CREATE INDEX run_newest ON run (tenant_id, id DESC);
CREATE INDEX run_by_workflow ON run (tenant_id, workflow, id DESC);
CREATE INDEX run_owned ON run (owner) WHERE state IN ('running', 'cancelled');

-- The journal: what each task of a run did. A row of an outside task is its checkpoint, written in
-- one transaction with its evidence; `key` names one execution of a task in a run.
CREATE TABLE run_task (
  id text PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  run_id text NOT NULL REFERENCES run ON DELETE CASCADE,
  key text NOT NULL,
  place text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  attempt int NOT NULL,
  state text NOT NULL CHECK (state IN
    ('running', 'waiting', 'completed', 'faulted', 'cancelled', 'skipped')),
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  due_at timestamptz,
  input jsonb,
  output jsonb,
  error jsonb,
  UNIQUE (run_id, key)
);
SELECT mesh_tenant_table('run_task');

CREATE TABLE approval (
  id text PRIMARY KEY,
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  run_id text NOT NULL REFERENCES run ON DELETE CASCADE,
  task_id text NOT NULL REFERENCES run_task ON DELETE CASCADE,
  workflow text NOT NULL,
  task text NOT NULL,
  asks jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'lapsed')),
  comment text,
  data jsonb,
  decided_by text,
  created_at timestamptz NOT NULL,
  decided_at timestamptz,
  due_at timestamptz
);
SELECT mesh_tenant_table('approval');
CREATE INDEX approval_newest ON approval (tenant_id, id DESC);
CREATE INDEX approval_of_run ON approval (run_id);

-- A worker process and until when it may act. `ended_at` is written under FOR UPDATE, so no
-- transaction that checked the lease (FOR KEY SHARE) is open at that moment, and none can follow.
CREATE TABLE worker_lease (
  worker_id text PRIMARY KEY,
  host text NOT NULL,
  pid int NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz NOT NULL,
  ended_at timestamptz
);
GRANT SELECT, INSERT, UPDATE, DELETE ON worker_lease TO mesh_app;
GRANT SELECT ON worker_lease TO mesh_operations;
CREATE INDEX worker_lease_live ON worker_lease (lease_until) WHERE ended_at IS NULL;

CREATE TABLE scheduled_job (
  name text PRIMARY KEY,
  due_at timestamptz NOT NULL,
  fired_at timestamptz,
  fired_by text
);
GRANT SELECT, INSERT, UPDATE, DELETE ON scheduled_job TO mesh_app;
GRANT SELECT ON scheduled_job TO mesh_operations;
"""

OWNED = """
DO $$ BEGIN EXECUTE format('GRANT mesh_dbos TO %I', current_user); END $$;
CREATE SCHEMA dbos AUTHORIZATION mesh_dbos;
CREATE SCHEMA mesh_jobs AUTHORIZATION mesh_dbos;
SET LOCAL ROLE mesh_dbos;
"""

# Runs with the rights of mesh_dbos, which owns it, so the application enqueues segments of runs
# and can do nothing else to the queue. DBOS gets two ids, never a payload.
ENQUEUE = """
CREATE FUNCTION mesh_jobs.enqueue(
  tenant_id text, run_id text, segment int, app_version text, due_at timestamptz DEFAULT NULL
) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT dbos.enqueue_workflow(
    workflow_name => 'run_segment',
    queue_name => 'runs',
    positional_args => ARRAY[to_json(tenant_id), to_json(run_id), to_json(segment)],
    workflow_id => run_id || '.' || segment,
    app_version => app_version,
    delay_until_epoch_ms => (extract(epoch FROM due_at) * 1000)::bigint,
    application_name => 'ai-agent-mesh')
$$;
REVOKE ALL ON FUNCTION mesh_jobs.enqueue FROM PUBLIC;
GRANT USAGE ON SCHEMA mesh_jobs TO mesh_app;
GRANT EXECUTE ON FUNCTION mesh_jobs.enqueue TO mesh_app;
RESET ROLE;
"""


def upgrade() -> None:
    """Create them."""
    op.execute(TABLES)
    op.execute(OWNED)
    for statement in schema_sql():
        op.execute(statement)
    op.execute(ENQUEUE)
