"""The options of `mesh demo`."""

import asyncio
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def demo(
    outage: Annotated[
        int, typer.Option("--outage", min=5, max=3600, help="Seconds without any worker.")
    ] = 90,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the data folder behind.")] = False,
) -> None:
    """Tell the whole story on data of its own: agents, policies, a kill, an outage, the proof."""
    from ai_agent_mesh.cli.demo.stage import Stage
    from ai_agent_mesh.cli.demo.story import play

    async def told() -> None:
        async with Stage.raised(keep=keep) as stage:
            await play(stage, outage)

    asyncio.run(told())
