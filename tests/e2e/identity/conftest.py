"""Identity over a real database: the parts that a door would hand it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from tests.conftest import Databases

from ai_agent_mesh import playbook
from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.crypto import KeyedHash, MasterKey, Vault
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity import (
    Account,
    Authenticator,
    TenantHook,
    key_hash,
    open_account,
)


@dataclass
class World:
    """What the wired application has of identity's needs."""

    app: Database
    operations: Database
    hasher: KeyedHash
    playbook: Playbook
    clock: FixedClock
    authenticator: Authenticator
    vault: Vault
    on_tenant_created: Sequence[TenantHook] = field(default_factory=list)

    async def account(self, name: str, tier: str = "professional") -> Account:
        """Open an account the way an operator does."""
        async with self.app.tenant("platform") as tx:
            return await open_account(
                self, tx, name, tier, email=f"owner@{name}.example", person="Ada"
            )


@pytest.fixture
def world(databases: Databases) -> World:
    """Return identity on a fresh database, at a fixed moment."""
    master = MasterKey(bytes(range(32)))
    clock = FixedClock(datetime(2026, 11, 1, 12, tzinfo=UTC))
    return World(
        app=databases.app,
        operations=databases.operations,
        hasher=key_hash(master),
        playbook=playbook.default(),
        clock=clock,
        authenticator=Authenticator(databases.app, key_hash(master), clock),
        vault=Vault(master),
    )
