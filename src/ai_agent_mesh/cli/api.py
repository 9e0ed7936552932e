"""`mesh api`: one API process, with the pages and, when it holds the fence, the sequencer."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def api(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
) -> None:
    """Run one API process; SIGTERM lets requests under way end."""
    from dataclasses import replace

    from ai_agent_mesh.api.serve import serve
    from ai_agent_mesh.settings import Settings

    settings = Settings.read()
    serve(
        replace(
            settings,
            host=host or settings.host,
            port=settings.port if port is None else port,
        )
    )
