"""The whole playbooks that batches name, so that a proof can bring what it was judged by."""

from alembic import op

revision = "0013"
down_revision = "0012"

SQL = """
-- The canonical JSON; its SHA-256 is the digest. A row of ledger_playbook from before has none
-- until a sequencer that runs under the same playbook adds it.
CREATE TABLE ledger_playbook_text (
  digest text PRIMARY KEY,
  text text NOT NULL CHECK (encode(sha256(convert_to(text, 'UTF8')), 'hex') = digest)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_playbook_text
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
GRANT SELECT, INSERT ON ledger_playbook_text TO mesh_ledger;
GRANT SELECT ON ledger_playbook_text TO mesh_app, mesh_operations;
"""


def upgrade() -> None:
    """Create it."""
    op.execute(SQL)
