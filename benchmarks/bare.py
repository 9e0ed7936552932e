"""The yardstick of a request: the same agent read on bare Litestar and asyncpg, nothing else."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import uvicorn
from litestar import Litestar, get
from litestar.datastructures import State


@get("/v1/agents/{agent_id:str}")
async def read(state: State, agent_id: str) -> dict[str, object]:
    """Return one agent's row."""
    row = await state.pool.fetchrow("SELECT * FROM agent WHERE id = $1", agent_id)
    return {
        "id": row["id"],
        "name": row["name"],
        "kind": row["kind"],
        "labels": row["labels"],
        "created_at": row["created_at"],
    }


def main(port: int, url: str, tenant: str) -> None:
    """Serve until SIGTERM."""

    async def teach(link: "asyncpg.Connection[asyncpg.Record]") -> None:
        await link.set_type_codec(
            "jsonb",
            schema="pg_catalog",
            encoder=lambda value: msgspec.json.encode(value).decode(),
            decoder=msgspec.json.decode,
        )

    @asynccontextmanager
    async def pool(app: Litestar) -> AsyncIterator[None]:
        settings = {"role": "mesh_app", "mesh.tenant_id": tenant}
        async with asyncpg.create_pool(
            url, min_size=4, max_size=20, server_settings=settings, init=teach
        ) as app.state.pool:
            yield

    uvicorn.run(
        Litestar([read], lifespan=[pool], openapi_config=None, logging_config=None),
        port=port,
        access_log=False,
        log_config=None,
        http="httptools",
        loop="uvloop",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
