"""A customer's own proof, through the real door: receipt, entry, key, export."""

import asyncio
import base64
import json
from hashlib import sha256

from tests.e2e.conftest import Stack

from ai_agent_mesh.product.ledger import Receipt


async def entry_of(stack: Stack, receipt: Receipt) -> dict[str, object]:
    """Return the numbered entry that a receipt names, once it is there."""
    async with asyncio.timeout(5), stack.client() as client:
        while True:
            cursor: str | None = ""
            while cursor is not None:
                wanted = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
                page = (await client.get("/v1/ledger/entries", params=wanted)).json()
                for item in page["items"]:
                    if item["id"] == receipt.entry_id:
                        return dict(item)
                cursor = page["next_cursor"]
            await asyncio.sleep(0.1)


async def test_a_receipt_names_an_entry_with_exactly_its_hash(stack: Stack) -> None:
    async with stack.client() as client:
        answer = await client.get("/v1/agents")
    receipt = Receipt.parse(answer.headers["mesh-receipt"])
    entry = await entry_of(stack, receipt)
    text = str(entry["text"])
    assert sha256(text.encode()).digest() == receipt.digest
    assert base64.b64decode(str(entry["digest"])) == receipt.digest
    said = json.loads(text)
    assert (said["kind"], said["route"], said["status"]) == ("call", "GET /v1/agents", 200)
    assert said["tenant"] == stack.tenant


async def test_a_refusal_leaves_an_entry_too(stack: Stack) -> None:
    async with stack.client() as client:
        answer = await client.get("/v1/agents/agt_01k00000000000000000000000")
    assert answer.status_code == 404
    entry = await entry_of(stack, Receipt.parse(answer.headers["mesh-receipt"]))
    assert json.loads(str(entry["text"]))["fault"] == "client"


async def test_an_export_holds_for_the_key_that_the_door_names(stack: Stack) -> None:
    async with stack.client() as client:
        key = (await client.get("/v1/ledger/key")).json()
    file = str(stack.data.parent / "evidence.ndjson")
    await stack.run("ledger", "export", "--out", file, "--tenant", stack.tenant)
    told = await stack.run("ledger", "verify", file, "--key", key["public"], "--json")
    report = json.loads(told)
    assert report["sound"] is True
    assert report["keys"] == [key["key_id"]]
    assert json.loads(await stack.run("ledger", "verify", "--json"))["sound"] is True


async def test_a_cursor_that_is_not_ours_is_refused(stack: Stack) -> None:
    async with stack.client() as client:
        answer = await client.get("/v1/ledger/entries", params={"cursor": "bm90LW91cnM"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["place"] == "cursor"
