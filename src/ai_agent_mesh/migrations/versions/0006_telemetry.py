"""Spans: what every run, task, agent call and policy decision took and cost."""

from alembic import op

revision = "0006"
down_revision = "0005"

# The key starts with the tenant and holds the start, so that the table can later be partitioned by
# time without another key. The id is random beside it: two spans may start in one microsecond.
SQL = """
CREATE TABLE span (
  tenant_id text NOT NULL DEFAULT mesh_tenant(),
  started_at timestamptz NOT NULL,
  id text NOT NULL,
  trace_id text NOT NULL,
  span_id text NOT NULL,
  parent_id text,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('run', 'task', 'agent_call', 'policy_decision')),
  duration_us bigint NOT NULL CHECK (duration_us >= 0),
  input_tokens bigint NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
  output_tokens bigint NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
  cost numeric,
  error_type text,
  agent_id text,
  workflow text,
  run_id text,
  attributes jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (tenant_id, started_at, id)
);
SELECT mesh_tenant_table('span');
CREATE INDEX span_agent ON span (tenant_id, agent_id, started_at) WHERE agent_id IS NOT NULL;
CREATE INDEX span_workflow ON span (tenant_id, workflow, started_at) WHERE workflow IS NOT NULL;
CREATE INDEX span_trace ON span (tenant_id, trace_id, started_at);
CREATE INDEX span_run ON span (tenant_id, run_id, started_at) WHERE run_id IS NOT NULL;
-- What was recorded stays as it was recorded.
REVOKE UPDATE ON span FROM mesh_app;
"""


def upgrade() -> None:
    """Create it."""
    op.execute(SQL)
