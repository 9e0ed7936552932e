"""What the roll-ups cost: processor time a call, beside that of the whole request behind it."""

from datetime import UTC, datetime, timedelta
from time import process_time

from ai_agent_mesh.evidence import Entry, Kind, judged
from ai_agent_mesh.evidence.rollup import Tally, thresholds
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.playbook import default
from ai_agent_mesh.plumbing.postgres import Database, Role
from ai_agent_mesh.product.ledger.sequencer import RESTS_FOR
from ai_agent_mesh.product.ledger.store import SequencerStore
from ai_agent_mesh.sla import Category, Service
from benchmarks.figures import Figure
from benchmarks.load import open_loop, request_bytes
from benchmarks.processor import cpu_s, family, on_processor_s
from benchmarks.system import System, system

#: What comes while the sequencer rests is one batch.
BATCH_S = default().measurement.sequenced_within.total_seconds() * RESTS_FOR
#: Calls a second, and of how many tenants.
LOADS = ((300, 1), (300, 20), (20, 1))
BATCHES = 200
TARGET = "< 5%"
_BEGUN = datetime(2026, 9, 1, tzinfo=UTC)
_SOMETHING = "SELECT pg_backend_pid(), pg_logical_emit_message(true, 'bench', '')"


async def run(seconds: float = 8) -> list[Figure]:
    """Return the roll-ups' share of an agent read's processor time, by how many tenants call."""
    async with system("--no-probe", "--workers", "0") as up:
        whole = {rate: await _a_request_us(up, rate, seconds) for rate, _ in LOADS[1:]}
        ledger = await Database.open(up.login_url, Role.LEDGER)
        try:
            rolled = {load: await _rolled_up_us(ledger, *load) for load in LOADS}
        finally:
            await ledger.close()
    return [
        Figure(
            f"roll-ups a call, {rate}/s of {tenants} tenant(s)",
            f"{us:.0f} µs of processor",
            TARGET,
            f"an agent read at {rate}/s, API and PostgreSQL: {whole[rate]:.0f} µs",
            f"{us / whole[rate]:.3f}",
        )
        for (rate, tenants), us in rolled.items()
    ]


async def _a_request_us(up: System, rate: int, seconds: float) -> float:
    body = {"name": f"bench-{rate}", "kind": "http", "url": "http://127.0.0.1:9/"}
    agent = (await up.ask("POST", "/v1/agents", body))["id"]
    asked = [request_bytes("GET", f"/v1/agents/{agent}", up.key)]
    await open_loop(up.port, asked, rate=rate, seconds=2)
    before = _spent_s(up)
    load = await open_loop(up.port, asked, rate=rate, seconds=seconds)
    assert not load.failed  # noqa: S101 - what failed cost something else
    return (_spent_s(up) - before) / len(load.latencies_s) * 1e6


def _spent_s(up: System) -> float:
    return sum(cpu_s(pid) for name in ("api", "postgres") for pid in family(up.pids[name]))


async def _rolled_up_us(ledger: Database, rate: int, tenants: int) -> float:
    """Return what adding up costs a call: here and in the server, with its triggers.

    The transaction around it is the batch's own: what one costs that adds nothing up, but has
    something to commit as a batch has, is taken off, in turns because processors change their pace.
    """
    size = round(rate * BATCH_S)
    promised = thresholds(default())
    async with ledger.transaction() as tx:
        server = await tx.fetchval("SELECT pg_backend_pid()")
    spent = {False: 0.0, True: 0.0}
    for batch in range(BATCHES):
        rows = [_call(batch * size + place, rate, tenants) for place in range(size)]
        for filled in spent:
            began = process_time() + on_processor_s(server)
            tally = Tally()
            for raw in rows if filled else ():
                if (call := judged(raw)) is not None:
                    tally.add(call.tenant, call, promised)
            async with ledger.transaction() as tx:
                await SequencerStore(tx).add_up(tally)
                assert await tx.fetchval(_SOMETHING) == server  # noqa: S101
            spent[filled] += process_time() + on_processor_s(server) - began
    return (spent[True] - spent[False]) / (size * BATCHES) * 1e6


def _call(number: int, rate: int, tenants: int) -> bytes:
    return Entry(
        id=new_id("ent"),
        kind=Kind.CALL,
        tenant=f"tnt_{rate}_{tenants}_{number % tenants}",
        at=_BEGUN + timedelta(seconds=number / rate),
        service=Service.API,
        category=Category.AGENT_CRUD,
        route="GET /v1/agents/{agent_id}",
        status=200,
        duration_us=1_000 + number * 37 % 900,
        latency_us=1_000 + number * 37 % 900,
    ).canonical
