"""Who holds a key: checked against its keyed hash, and remembered for a moment."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.plumbing.crypto import KeyedHash
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity import key_text
from ai_agent_mesh.product.identity.facts import KeyRefused
from ai_agent_mesh.product.identity.key_text import KeyText
from ai_agent_mesh.product.identity.model import Principal
from ai_agent_mesh.product.identity.roles import Role

#: How long another process may still let in a key that was revoked here.
REMEMBERED_S = 2.0
_REMEMBERED_AT_MOST = 10_000
# After a change in a tenant nothing of it is remembered for longer than the change needs to commit.
_WARY_S = 10.0
# One write an hour for each key in use, not one for each request.
_LAST_USED_GRAIN = timedelta(hours=1)
# What an unknown key is compared with, so that it takes the same steps as a known one.
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    expires_at: datetime
    until_s: float


@dataclass(frozen=True, slots=True)
class _Found:
    digest: bytes
    principal: Principal
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class Authenticator:
    """Turns an `Authorization` header into a Principal.

    An unknown, wrong, expired or revoked key gets one and the same answer, after the same steps.
    """

    def __init__(
        self,
        database: Database,
        hasher: KeyedHash,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._clock = clock
        self._monotonic = monotonic
        # By the hash of what was sent: nothing here lets anybody in who reads it.
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._wary: dict[str, float] = {}

    async def authenticate(self, authorization: str | None) -> Principal:
        """Return who sends this header value.

        Raises:
            KeyRefused: it holds no key that lets anybody in.
            DatabaseAway: a key that is not remembered cannot be checked now.
        """
        key = key_text.read_bearer(authorization)
        if authorization is None or key is None:
            raise KeyRefused
        sent = _hash(authorization)
        # While this one waited for its turn, another may have looked the same key up.
        return self._recall(sent) or await self._look_up(key, sent)

    def remembered(self, authorization: str | None) -> Principal | None:
        """Return who sends this header value if that is known without asking the database.

        Raises:
            KeyRefused: it holds no key.
        """
        principal = None if authorization is None else self._recall(_hash(authorization))
        if principal is None and key_text.read_bearer(authorization) is None:
            raise KeyRefused
        return principal

    def forget(self, tenant_id: str) -> None:
        """Look every key of this tenant up again: a key, role or tier is being changed."""
        now = self._monotonic()
        for sent in [k for k, v in self._known.items() if v.principal.tenant_id == tenant_id]:
            del self._known[sent]
        self._wary = {tenant: until for tenant, until in self._wary.items() if until > now}
        self._wary[tenant_id] = now + _WARY_S

    def _recall(self, sent: bytes) -> Principal | None:
        known = self._known.get(sent)
        if known is None or known.until_s <= self._monotonic():
            return None
        return known.principal if self._clock.now() < known.expires_at else None

    async def _look_up(self, key: KeyText, sent: bytes) -> Principal:
        started, now = self._monotonic(), self._clock.now()
        found = await _find(self._database, key.key_id)
        right = self._hasher.matches(key.material, found.digest if found else _NO_DIGEST)
        if found is None or not right or found.revoked_at or now >= found.expires_at:
            raise KeyRefused
        if found.last_used_at is None or now - found.last_used_at >= _LAST_USED_GRAIN:
            async with self._database.tenant(found.principal.tenant_id) as tx:
                await tx.execute(
                    "UPDATE api_key SET last_used_at = $2 WHERE id = $1", key.key_id, now
                )
        self._remember(sent, found, started)
        return found.principal

    def _remember(self, sent: bytes, found: _Found, started: float) -> None:
        if self._wary.get(found.principal.tenant_id, started) > started:
            return
        # Counted from before the look-up: what was revoked meanwhile is let in no longer than said.
        until = started + REMEMBERED_S
        self._known[sent] = _Known(found.principal, found.expires_at, until)
        self._known.move_to_end(sent)
        while len(self._known) > _REMEMBERED_AT_MOST:
            self._known.popitem(last=False)


async def _find(database: Database, key_id: str) -> _Found | None:
    """Read a key by its id and what its holder may do: one question, as every stranger asks it."""
    row = await database.fetchrow("SELECT * FROM mesh_key_holder($1)", key_id)
    if row is None:
        return None
    principal = Principal(
        tenant_id=row["tenant_id"],
        tier=row["tier"],
        actor_id=row["user_id"] or key_id,
        key_id=key_id,
        role=Role(row["role"]),
        key_expires_at=row["expires_at"],
    )
    return _Found(
        digest=row["digest"],
        principal=principal,
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"],
    )


def _hash(authorization: str) -> bytes:
    return sha256(authorization.encode()).digest()
