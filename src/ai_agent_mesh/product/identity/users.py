"""Users: the people of one tenant and their roles."""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.plumbing.http import Page, Paged, paged, require
from ai_agent_mesh.plumbing.postgres import Tx
from ai_agent_mesh.product.identity.facts import LastOwner, UserMissing
from ai_agent_mesh.product.identity.model import User
from ai_agent_mesh.product.identity.roles import Role
from ai_agent_mesh.product.identity.rules import check_user, require_grant
from ai_agent_mesh.product.identity.store import UserStore


class Users:
    """The users of the transaction's tenant. `by` is the role of whoever asks."""

    def __init__(self, tx: Tx, clock: Clock) -> None:
        self._store = UserStore(tx)
        self._clock = clock

    async def create(self, email: str, name: str, role: str, *, by: Role) -> User:
        """Add a user.

        Raises:
            UserInvalid, RoleAboveOwn, EmailTaken
        """
        granted = check_user(email, name, role)
        require_grant(by, granted)
        user = User(
            id=new_id("usr"),
            email=email,
            name=name,
            role=granted,
            created_at=self._clock.now(),
            version=1,
        )
        await self._store.add(user)
        return user

    async def list(self, page: Page) -> Paged[User]:
        """Return a page of users, oldest first."""
        return paged(await self._store.page(page), page, lambda user: user.id)

    async def get(self, id_or_email: str) -> User:
        """Return a user by id or address.

        Raises:
            UserMissing
        """
        return _present(await self._store.find(id_or_email), id_or_email)

    async def update(
        self,
        user_id: str,
        if_match: str | None,
        *,
        by: Role,
        email: str | UnsetType = UNSET,
        name: str | UnsetType = UNSET,
        role: str | UnsetType = UNSET,
    ) -> User:
        """Change what is given.

        Raises:
            UserMissing, UserInvalid, RoleAboveOwn, LastOwner, EmailTaken, PreconditionFailed
        """
        owners = await self._store.lock_owners()
        before = _present(await self._store.find(user_id, for_update=True), user_id)
        require(if_match, before.version)
        after = replace(
            before,
            email=before.email if email is UNSET else email,
            name=before.name if name is UNSET else name,
        )
        granted = check_user(after.email, after.name, before.role if role is UNSET else role)
        require_grant(by, before.role, granted)
        if granted is not Role.OWNER and owners == [before.id]:
            raise LastOwner
        after = replace(after, role=granted)
        if after != before:
            after = replace(after, version=before.version + 1)
            await self._store.save(after)
        return after

    async def remove(self, user_id: str, if_match: str | None, *, by: Role) -> User:
        """Delete a user and the user's keys; return who it was.

        Raises:
            UserMissing, RoleAboveOwn, LastOwner, PreconditionFailed
        """
        owners = await self._store.lock_owners()
        user = _present(await self._store.find(user_id, for_update=True), user_id)
        if if_match is not None:
            require(if_match, user.version)
        require_grant(by, user.role)
        if owners == [user.id]:
            raise LastOwner
        await self._store.remove(user.id)
        return user


def _present(user: User | None, asked: str) -> User:
    if user is None:
        raise UserMissing(user=asked)
    return user
