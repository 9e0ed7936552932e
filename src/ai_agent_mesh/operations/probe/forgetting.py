"""What the probe leaves behind, dropped: thousands of runs a day that nobody asks for again."""

from datetime import datetime

from ai_agent_mesh.operations.statements import PROBE
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.orchestration import forget_runs
from ai_agent_mesh.product.telemetry import Recorder


async def forget(app: Database, before: datetime) -> int:
    """Drop the probe's runs that ended before a moment, and its spans; return how many runs.

    The ledger entries of its calls stay: they are the evidence that it gave.

    Raises:
        DatabaseAway: the database cannot be reached now.
    """
    async with app.tenant(PROBE) as tx:
        await Recorder(tx).forget(before)
        return await forget_runs(tx, before)
