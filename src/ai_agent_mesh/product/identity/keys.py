"""Keys: issued once, kept as a keyed hash, replaced in time, revoked at once."""

from datetime import timedelta

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.crypto import KeyedHash, MasterKey
from ai_agent_mesh.plumbing.http import Page, Paged, paged
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity import key_text
from ai_agent_mesh.product.identity.facts import KeyMissing, TooManyLiveKeys, UserMissing
from ai_agent_mesh.product.identity.model import ApiKey, IssuedKey
from ai_agent_mesh.product.identity.roles import Role
from ai_agent_mesh.product.identity.rules import KeyTerms, check_service, expiry, require_grant
from ai_agent_mesh.product.identity.store import KeyStore, UserStore

_HASH_LABEL = b"mesh identity api key v1"


def key_hash(master: MasterKey) -> KeyedHash:
    """Return the keyed hash that API keys are stored under."""
    return KeyedHash(master.derive(_HASH_LABEL))


class Keys:
    """The keys of the transaction's tenant. `by` is the role of whoever asks."""

    def __init__(self, tx: Tx, hasher: KeyedHash, terms: KeyTerms, clock: Clock) -> None:
        self._store = KeyStore(tx)
        self._users = UserStore(tx)
        self._hasher = hasher
        self._terms = terms
        self._clock = clock

    async def issue_to_user(
        self, user: str, valid_for: timedelta | None = None, *, by: Role
    ) -> IssuedKey:
        """Give a user (id or address) a key with the user's own role.

        Raises:
            UserMissing, RoleAboveOwn, KeyInvalid, TooManyLiveKeys
        """
        owner = await self._users.find(user)
        if owner is None:
            raise UserMissing(user=user)
        require_grant(by, owner.role)
        return await self._issue(owner.id, None, owner.role, valid_for)

    async def issue_to_service(
        self, service: str, role: str | None, valid_for: timedelta | None = None, *, by: Role
    ) -> IssuedKey:
        """Give a named service a key with a role of its own.

        Raises:
            KeyInvalid, RoleAboveOwn, TooManyLiveKeys
        """
        granted = check_service(service, role)
        require_grant(by, granted)
        return await self._issue(None, service, granted, valid_for)

    async def rotate(self, key_id: str) -> IssuedKey:
        """Give the owner of a key a second one; the first lives on until revoked or expired.

        Raises:
            KeyMissing, TooManyLiveKeys
        """
        key = await self.get(key_id)
        return await self._issue(key.user_id, key.service, key.role, None)

    async def list(self, page: Page) -> Paged[ApiKey]:
        """Return a page of keys, oldest first, the ended ones too."""
        return paged(await self._store.page(page), page, lambda key: key.id)

    async def get(self, key_id: str) -> ApiKey:
        """Return a key.

        Raises:
            KeyMissing
        """
        key = await self._store.find(key_id)
        if key is None:
            raise KeyMissing(key=key_id)
        return key

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key now; ending it again changes nothing.

        Other processes may let it in for as long as they remember callers (Authenticator).

        Raises:
            KeyMissing
        """
        await self.get(key_id)
        await self._store.revoke(key_id, self._clock.now())
        return await self.get(key_id)

    async def revoke_service(self, service: str) -> int:
        """End every live key of a service; return how many there were."""
        now = self._clock.now()
        live = await self._store.lock_live(service, now)
        for key in live:
            await self._store.revoke(key.id, now)
        return len(live)

    async def _issue(
        self, user_id: str | None, service: str | None, role: Role, valid_for: timedelta | None
    ) -> IssuedKey:
        now = self._clock.now()
        owner = user_id or str(service)
        expires_at = expiry(now, valid_for, self._terms)
        live = await self._store.lock_live(owner, now)
        if len(live) >= self._terms.live:
            raise TooManyLiveKeys(owner=owner, live=len(live), keys=[key.id for key in live])
        key = ApiKey(
            id=new_id("key"),
            user_id=user_id,
            service=service,
            role=role,
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
            last_used_at=None,
        )
        written = key_text.draw(key.id)
        await self._store.add(key, self._hasher.digest(written.material))
        return IssuedKey(key, written.text)
