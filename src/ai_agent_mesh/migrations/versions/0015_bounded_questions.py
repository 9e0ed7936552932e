"""What is asked at every look-up of a key and at every scrape, at a cost that does not grow."""

from alembic import op

revision = "0015"
down_revision = "0014"

SQL = """
-- Reads the key in the scope of its own id, then the holder in the scope of the key's tenant. Both
-- settings end with the statement, and a key that is not there takes the same two steps.
CREATE FUNCTION mesh_key_holder(key_id text)
RETURNS TABLE (tenant_id text, user_id text, role text, tier text, digest bytea,
               expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  key record;
BEGIN
  PERFORM set_config('mesh.key_id', key_id, true);
  SELECT k.* INTO key FROM api_key k WHERE k.id = key_id;
  PERFORM set_config('mesh.tenant_id', coalesce(key.tenant_id, ''), true);
  RETURN QUERY
    SELECT t.id, key.user_id, coalesce(key.role, u.role), t.tier, key.digest,
           key.expires_at, key.revoked_at, key.last_used_at
    FROM tenant t LEFT JOIN app_user u ON u.id = key.user_id
    WHERE t.id = key.tenant_id;
END
$$;
REVOKE EXECUTE ON FUNCTION mesh_key_holder(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mesh_key_holder(text) TO mesh_app;

-- The runs that are not over, for whoever counts them: few, however many there ever were.
CREATE INDEX run_under_way ON run (state) WHERE state IN ('pending', 'running', 'waiting');
"""


def upgrade() -> None:
    """Create it."""
    op.execute(SQL)
