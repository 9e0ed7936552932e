"""One connection of a pool: whose rows it reads, whether it may write, and JSON as plain values."""

import asyncpg
import msgspec


class Link(asyncpg.Connection):
    """A connection that remembers whose rows it reads when no transaction says otherwise."""

    reads_for: str | None = None
    #: The server said at the beginning that it takes no changes; that is for the session's length.
    read_only: bool = False

    async def read_for(self, tenant_id: str) -> None:
        """Let every statement outside of a transaction see this tenant's rows, and only read."""
        if self.reads_for != tenant_id:
            self.reads_for = ""
            await self.execute(
                f"SET mesh.tenant_id = '{tenant_id}'; SET default_transaction_read_only = on"
            )
            self.reads_for = tenant_id

    async def read_for_nobody(self) -> None:
        """Undo `read_for`."""
        if self.reads_for is not None:
            await self.execute("RESET mesh.tenant_id; RESET default_transaction_read_only")
            self.reads_for = None


async def teach(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Hear whether it may write, and pass JSON as plain values, encoded by msgspec."""
    link: Link = connection  # type: ignore[assignment] # the pool makes no other
    said = link.get_settings()
    kinds = ("in_hot_standby", "default_transaction_read_only")
    link.read_only = any(getattr(said, kind, "off") == "on" for kind in kinds)
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda raw: msgspec.json.decode(memoryview(raw)[1:]),
    )
