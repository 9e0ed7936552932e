"""One delivery run as a process that can be killed: `deliverer LOGIN_URL MASTER_KEY NOW`."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from ai_agent_mesh.adapters.webhooks import WebhookSender
from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.operations.notices import Deliveries
from ai_agent_mesh.plumbing.crypto import MasterKey, Vault
from ai_agent_mesh.plumbing.http.outbound import AddressPolicy
from ai_agent_mesh.plumbing.postgres import Database, Role


async def main(url: str, key: str, now: str) -> None:
    """Try what is due at a moment, once."""
    app, operations = [await Database.open(url, role) for role in (Role.APP, Role.OPERATIONS)]
    vault = Vault(MasterKey.load_or_create(Path(key)))
    sender = WebhookSender(AddressPolicy.parse(["127.0.0.1/32"]))
    deliveries = Deliveries(app, operations, vault, sender, SystemClock(), "digest")
    await deliveries.run(datetime.fromisoformat(now))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
