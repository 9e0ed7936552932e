"""A process that appends and numbers until it is killed, and prints what was acknowledged."""

import asyncio
import base64
import sys
from datetime import timedelta
from pathlib import Path

from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind, Sequencer
from ai_agent_mesh.sla import Category, Service


async def main(url: str, key: str, tenant: str) -> None:
    """Run until the end, which comes from outside."""
    ledger = await Database.open(url, Role.LEDGER)
    signer = Signer.load_or_create(Path(key))
    lease = timedelta(milliseconds=500)
    sequencer = Sequencer(ledger, signer, default(), SystemClock(), batch=37, lease=lease)
    inbox = Inbox(ledger)
    inbox.start()
    numbering = asyncio.create_task(sequencer.run(asyncio.Event()))
    await asyncio.gather(numbering, *(append_for_ever(inbox, tenant) for _ in range(8)))


async def append_for_ever(inbox: Inbox, tenant: str) -> None:
    """Append one entry after another, and print each once it is acknowledged."""
    while True:
        receipt = await inbox.append(
            Entry(
                id=new_id("ent"),
                kind=Kind.CALL,
                tenant=tenant,
                at=SystemClock().now(),
                service=Service.TELEMETRY,
                category=Category.TELEMETRY_QUERY,
                latency_us=1_000,
            )
        )
        print(receipt.entry_id, base64.b64encode(receipt.digest).decode(), flush=True)  # noqa: T201
        await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
