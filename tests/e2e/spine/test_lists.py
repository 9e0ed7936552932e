"""Lists in pages, and changes made from a version."""

import pytest
from tests.e2e.conftest import Stack


async def test_a_list_paged_by_one_gives_each_item_once(stack: Stack) -> None:
    _, key = await stack.tenant_key("paged", "professional")
    async with stack.client(key) as client:
        made = []
        for index in range(7):
            body = {"name": f"paged-{index}", "kind": "http", "url": "http://127.0.0.1:9/"}
            made.append((await client.post("/v1/agents", json=body)).json()["id"])
        seen: list[str] = []
        cursor: str | None = None
        while True:
            wanted = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/v1/agents", params=wanted)).json()
            assert len(page["items"]) == 1
            seen.append(page["items"][0]["id"])
            if (cursor := page["next_cursor"]) is None:
                break
            assert len(seen) <= len(made)
    assert sorted(seen) == sorted(made)
    assert seen in (sorted(made), sorted(made, reverse=True))


LISTS = ("agents", "keys", "users", "workflows", "runs", "approvals", "policies", "ledger/entries")


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_that_we_never_gave_is_refused(stack: Stack, path: str) -> None:
    async with stack.client() as client:
        for cursor in ("YQ", "é", "%", "bm90IG91cnM", "A" * 5000):
            answer = await client.get(f"/v1/{path}", params={"cursor": cursor})
            assert answer.status_code == 400, (cursor, answer.text)
            assert [each["place"] for each in answer.json()["errors"]] == ["cursor"]
        for limit in ("0", "201", "-1", "x", "1e400", "9" * 40):
            answer = await client.get(f"/v1/{path}", params={"limit": limit})
            assert answer.status_code == 400, (limit, answer.text)
            assert [each["place"] for each in answer.json()["errors"]] == ["limit"]


async def test_a_change_says_which_version_it_was_made_from(stack: Stack) -> None:
    async with stack.client() as client:
        body = {"name": "versioned", "kind": "http", "url": "http://127.0.0.1:9/"}
        made = await client.post("/v1/agents", json=body)
        place, tag = f"/v1/agents/{made.json()['id']}", made.headers["etag"]
        change = {"description": "changed"}
        assert (await client.patch(place, json=change)).status_code == 428
        stale = await client.patch(place, json=change, headers={"If-Match": '"99"'})
        assert stale.status_code == 412
        changed = await client.patch(place, json=change, headers={"If-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        lost = await client.patch(place, json=change, headers={"If-Match": tag})
        assert lost.status_code == 412
        assert (await client.delete(place, headers={"If-Match": tag})).status_code == 412
        gone = await client.delete(place, headers={"If-Match": changed.headers["etag"]})
        assert gone.status_code == 204
