"""Whether this process can serve: each check says what is wrong, or nothing."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.plumbing.postgres import Database, Role, head_revision
from ai_agent_mesh.product.ledger import Inbox, Sequencer

#: What a load balancer waits for; a check that takes longer has failed.
PATIENCE_S = 2.0
#: Past so many times what numbering an entry may take, the sequencer is stuck, not busy.
STUCK = 10
#: So many entries waiting in this process mean that the database no longer takes them.
BACKLOG = 10_000
#: The least room on the disk for the evidence of an outage, which the spool would have to keep.
ROOM_BYTES = 16 * 2**20

_SEQUENCER = """
SELECT leased_until > clock_timestamp() AS held,
       coalesce((SELECT clock_timestamp() - min(at) FROM ledger_inbox), interval '0') AS lag
FROM ledger_head
"""


class Check(msgspec.Struct, frozen=True):
    """One thing that must be so, and what is wrong with it (null when nothing is)."""

    name: str
    ok: bool
    reason: str | None = None


class Report(msgspec.Struct, frozen=True):
    """Whether all checks passed, and each of them."""

    ready: bool
    checks: list[Check]


class Readiness:
    """Asks the parts that a request passes through whether they would let it."""

    def __init__(
        self,
        app: Database,
        operations: Database,
        inbox: Inbox,
        sequencer: Sequencer,
        playbook: Playbook,
        clock: Clock,
        folder: Path,
    ) -> None:
        """`folder` is where this process keeps what the database does not take."""
        self._app = app
        self._operations = operations
        self._inbox = inbox
        self._sequencer = sequencer
        self._folder = folder
        self._playbook = playbook
        self._clock = clock

    async def report(self) -> Report:
        """Run every check, all at once; none takes longer than two seconds."""
        checks = {
            "database": self.database,
            "migrations": self.migrations,
            "clock": self.clock,
            "sequencer": self.sequencer,
            "inbox": self.inbox,
            "disk": self.disk,
        }
        done = await asyncio.gather(*(_run(name, check) for name, check in checks.items()))
        return Report(all(check.ok for check in done), list(done))

    async def database(self) -> str | None:
        """Look for the database, under the application's own role."""
        async with self._app.transaction() as tx:
            role = await tx.fetchval("SELECT current_user")
        return None if role == Role.APP else f"the role is {role}, not {Role.APP}"

    async def migrations(self) -> str | None:
        """Compare the schema with the one that this version needs."""
        needed = head_revision()
        async with self._operations.transaction() as tx:
            found = await tx.fetchval("SELECT version_num FROM alembic_version")
        return None if found == needed else f"the schema is at {found}, this version needs {needed}"

    async def clock(self) -> str | None:
        """Compare this machine's clock with the database's, the way there and back halved."""
        async with self._operations.transaction() as tx:
            before = self._clock.now()
            theirs = await tx.fetchval("SELECT clock_timestamp()")
            after = self._clock.now()
        apart = abs(before + (after - before) / 2 - theirs)
        if apart <= self._playbook.measurement.clock_difference + (after - before) / 2:
            return None
        return f"the database's clock is {apart.total_seconds():.1f} s away from this machine's"

    async def sequencer(self) -> str | None:
        """See that somebody numbers the ledger, and keeps up."""
        async with self._operations.transaction() as tx:
            row = await tx.fetchrow(_SEQUENCER)
        if self._sequencer.trouble:
            return f"the ledger cannot be numbered: {self._sequencer.trouble}"
        if row is None or not row["held"]:
            return "nobody numbers the ledger"
        late = row["lag"] > self._playbook.measurement.sequenced_within * STUCK
        return f"the ledger is {row['lag'].total_seconds():.0f} s behind" if late else None

    async def inbox(self) -> str | None:
        """See that entries do not pile up in this process."""
        waiting = self._inbox.backlog
        return f"{waiting} entries wait to be kept" if waiting >= BACKLOG else None

    async def disk(self) -> str | None:
        """See that the disk has room for what must be kept while the database is away."""
        free = (await asyncio.to_thread(shutil.disk_usage, self._folder)).free
        return None if free >= ROOM_BYTES else "the disk of the data folder is full"


async def _run(name: str, check: Callable[[], Awaitable[str | None]]) -> Check:
    try:
        async with asyncio.timeout(PATIENCE_S):
            reason = await check()
    except TimeoutError:
        reason = f"no answer within {PATIENCE_S:g} s"
    except Fact as fact:
        reason = fact.detail
    except OSError as error:
        reason = str(error)
    return Check(name, reason is None, reason)
