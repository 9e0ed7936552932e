"""`mesh migrate`: bring the database to this version's schema."""

import asyncio

import typer

app = typer.Typer()


@app.command()
def migrate() -> None:
    """Migrate the database of MESH_MIGRATE_URL (or DATABASE_URL, or this data folder's own)."""
    from urllib.parse import urlsplit

    from ai_agent_mesh.plumbing.postgres import migrate as bring
    from ai_agent_mesh.settings import Settings
    from ai_agent_mesh.wiring import addresses

    login, owner = addresses(Settings.read())
    revision = asyncio.run(bring(owner, urlsplit(login).username))
    print(f"The database is at revision {revision}.")
