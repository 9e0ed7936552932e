"""Policies, their history and the version of a tenant's set, in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.governance.model import Policy, PolicyVersion

_POLICY = "id, name, text, description, enabled, version, updated_at, updated_by"
_HISTORY = (
    "policy_id AS id, name, version, text, description, enabled, deleted, set_version, at, by"
)


class SetMark(NamedTuple):
    """Which policies a tenant has: the set's version, and a stamp that no other set ever had.

    The stamp is what caches go by: a version that was rolled back is given out again.
    """

    version: int
    stamp: UUID


class StoredPolicy(NamedTuple):
    """What the compiler needs of an enabled policy."""

    id: str
    name: str
    version: int
    text: str


class PolicyStore:
    """Reads and writes one tenant's policies."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def mark(self) -> SetMark | None:
        """Return the present mark of the set, or None when there never was a policy."""
        row = await self._tx.fetchrow(
            "SELECT version, stamp FROM policy_set WHERE tenant_id = (SELECT mesh_tenant())"
        )
        return None if row is None else SetMark(row["version"], UUID(str(row["stamp"])))

    async def enabled(self) -> tuple[SetMark | None, list[StoredPolicy]]:
        """Return mark and enabled policies as of one moment: one statement sees one snapshot."""
        rows = await self._tx.fetch(
            "SELECT s.version AS set_version, s.stamp, p.id, p.name, p.version, p.text"
            " FROM policy_set s LEFT JOIN policy p ON p.tenant_id = s.tenant_id AND p.enabled"
            " WHERE s.tenant_id = (SELECT mesh_tenant()) ORDER BY p.name"
        )
        if not rows:
            return None, []
        mark = SetMark(rows[0]["set_version"], UUID(str(rows[0]["stamp"])))
        found = [r for r in rows if r["id"] is not None]
        return mark, [StoredPolicy(r["id"], r["name"], r["version"], r["text"]) for r in found]

    async def advance(self) -> int:
        """Take the set's next version; whoever else changes this tenant's policies waits."""
        version: int = await self._tx.fetchval(
            "INSERT INTO policy_set (version) VALUES (1) ON CONFLICT (tenant_id)"
            " DO UPDATE SET version = policy_set.version + 1, stamp = gen_random_uuid()"
            " RETURNING version"
        )
        return version

    async def page(self, after: str | None, limit: int, *, enabled: bool | None) -> list[Policy]:
        """Return policies by name, those after `after`."""
        rows = await self._tx.fetch(
            f"SELECT {_POLICY} FROM policy WHERE tenant_id = (SELECT mesh_tenant())"  # noqa: S608
            " AND ($1::text IS NULL OR name > $1) AND ($2::boolean IS NULL OR enabled = $2)"
            " ORDER BY name LIMIT $3",
            after,
            enabled,
            limit,
        )
        return [_policy(dict(row)) for row in rows]

    async def find(self, name: str) -> Policy | None:
        """Return the policy of that name, or None."""
        row = await self._tx.fetchrow(
            f"SELECT {_POLICY} FROM policy"  # noqa: S608
            " WHERE tenant_id = (SELECT mesh_tenant()) AND name = $1",
            name,
        )
        return None if row is None else _policy(dict(row))

    async def names(self) -> frozenset[str]:
        """Return the names of all policies."""
        rows = await self._tx.fetch(
            "SELECT name FROM policy WHERE tenant_id = (SELECT mesh_tenant())"
        )
        return frozenset(row["name"] for row in rows)

    async def last_version(self, name: str) -> int:
        """Return the last version that a policy of that name ever had, 0 if there was none."""
        version: int = await self._tx.fetchval(
            "SELECT coalesce(max(version), 0) FROM policy_version"
            " WHERE tenant_id = (SELECT mesh_tenant()) AND name = $1",
            name,
        )
        return version

    async def save(self, policy: Policy, set_version: int) -> None:
        """Write a policy as it is now, and its version for ever."""
        await self._tx.execute(
            "INSERT INTO policy"
            " (id, name, text, description, enabled, version, updated_at, updated_by)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_id, name) DO UPDATE SET"
            " text = excluded.text, description = excluded.description,"
            " enabled = excluded.enabled, version = excluded.version,"
            " updated_at = excluded.updated_at, updated_by = excluded.updated_by",
            *_values(policy),
        )
        await self._remember(policy, set_version, deleted=False)

    async def remove(self, policy: Policy, set_version: int) -> None:
        """Take a policy away; its versions stay, and one more says that it went."""
        await self._tx.execute(
            "DELETE FROM policy WHERE tenant_id = (SELECT mesh_tenant()) AND name = $1",
            policy.name,
        )
        await self._remember(policy, set_version, deleted=True)

    async def _remember(self, policy: Policy, set_version: int, *, deleted: bool) -> None:
        await self._tx.execute(
            "INSERT INTO policy_version"
            " (policy_id, name, text, description, enabled, version, at, by, set_version, deleted)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            *_values(policy),
            set_version,
            deleted,
        )

    async def history(self, name: str, before: int | None, limit: int) -> list[PolicyVersion]:
        """Return the versions of a policy, the latest first, those before `before`."""
        rows = await self._tx.fetch(
            f"SELECT {_HISTORY} FROM policy_version"  # noqa: S608
            " WHERE tenant_id = (SELECT mesh_tenant()) AND name = $1"
            " AND ($2::bigint IS NULL OR version < $2) ORDER BY version DESC LIMIT $3",
            name,
            before,
            limit,
        )
        return [msgspec.convert(dict(row), PolicyVersion) for row in rows]


def _policy(row: Mapping[str, object]) -> Policy:
    return msgspec.convert(dict(row), Policy)


def _values(policy: Policy) -> Sequence[object]:
    return (
        policy.id,
        policy.name,
        policy.text,
        policy.description,
        policy.enabled,
        policy.version,
        policy.updated_at,
        policy.updated_by,
    )
