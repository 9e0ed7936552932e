"""`mesh worker`: one worker process, which runs workflows and scheduled work."""

import typer

app = typer.Typer()


@app.command()
def worker() -> None:
    """Run one worker; SIGTERM gives its runs to the others at once."""
    from ai_agent_mesh.settings import Settings
    from ai_agent_mesh.worker import main

    main(Settings.read())
