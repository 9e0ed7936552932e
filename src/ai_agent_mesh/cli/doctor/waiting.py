"""What was promised and is still to be done: numbers, credits, notices, jobs, the probe."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from ai_agent_mesh.cli.doctor.finding import Finding, State, judged
from ai_agent_mesh.kernel.clock import SystemClock
from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.kernel.spans import MINUTE, Month, Span
from ai_agent_mesh.operations.agreements import Agreements, waits
from ai_agent_mesh.operations.alerts import AlertStore
from ai_agent_mesh.operations.credits import Credits
from ai_agent_mesh.operations.notices import undelivered
from ai_agent_mesh.operations.objectives import ObjectiveStore
from ai_agent_mesh.operations.statements import settled_until
from ai_agent_mesh.playbook import Playbook, Urgency
from ai_agent_mesh.plumbing.jobs import overdue
from ai_agent_mesh.plumbing.postgres import Database, Role, Tx
from ai_agent_mesh.product.identity import PLATFORM_TENANT
from ai_agent_mesh.product.ledger import Spool, unnumbered
from ai_agent_mesh.settings import Settings

_WORKER = "A worker does it: see that one runs."
#: So far back the probe is listened for, and so many are named of what may be many.
_RECENT = timedelta(minutes=10)
_NAMED = 3
#: A job that is due runs within this, unless nobody runs it.
_SOON = timedelta(minutes=1)


async def promises(settings: Settings, login: str, playbook: Playbook) -> AsyncIterator[Finding]:
    """Look at what waits, a line each; a schema of another version is nothing to look at."""
    now = SystemClock().now()
    yield _spooled(settings)
    operations = await Database.open(login, Role.OPERATIONS, max_size=1)
    app = await Database.open(login, Role.APP, max_size=1)
    try:
        async with operations.transaction() as tx:
            yield await _numbering(tx, playbook)
            yield await _probing(tx, playbook, now)
            yield await _jobs(tx, now)
            yield await _notices(tx)
            yield await _promised(tx, playbook, now)
        yield await _credits(Credits(app, operations, playbook, SystemClock()), now)
        async with app.tenant(PLATFORM_TENANT) as tx:
            yield await _alerts(tx)
    finally:
        await app.close()
        await operations.close()


def _spooled(settings: Settings) -> Finding:
    count = Spool(settings.data / "spool").waiting()
    found = f"files of refused calls not imported yet: {count}" if count else "nothing"
    mend = "An API process imports them once the database answers; `.broken` ones are for you."
    return judged("spooled", found, good=not count, mend=mend, worst=State.WARN)


async def _numbering(tx: Tx, playbook: Playbook) -> Finding:
    count, oldest = await unnumbered(tx)
    good = oldest <= playbook.measurement.sequenced_within
    found = f"entries without their number: {count}, the oldest for {oldest.total_seconds():.1f} s"
    mend = "An API process numbers them: see that one runs, and what its log says of the sequencer."
    return judged(
        "ledger", found if count else "every entry is numbered", good=good, mend=mend,
        worst=State.WARN,
    )  # fmt: skip


async def _probing(tx: Tx, playbook: Playbook, now: datetime) -> Finding:
    until = settled_until(now, playbook)
    watches = await ObjectiveStore(tx).watches(Span(until - _RECENT, until))
    if not watches:
        mend = "Run `mesh probe`: until then a minute without calls counts as available."
        return Finding("probe", State.WARN, "no service was ever watched", mend)
    silent = {
        service: sum(span.length // MINUTE for span in watch.silent)
        for service, watch in watches.items()
    }
    missed = [f"{service} {n} min" for service, n in silent.items() if n]
    found = f"silent of the last {_RECENT // MINUTE} minutes: {', '.join(missed)}"
    return judged(
        "probe", found if missed else "heard in every minute", good=not missed,
        mend="Such minutes count as lost: see that `mesh probe` runs, and what its log says.",
        worst=State.WARN,
    )  # fmt: skip


async def _jobs(tx: Tx, now: datetime) -> Finding:
    late = await overdue(tx, now - _SOON)
    found = f"overdue: {', '.join(f'{name} since {due:%F %R}' for name, due in late)} UTC"
    return judged(
        "scheduled jobs", found if late else "none is overdue", good=not late, mend=_WORKER,
        worst=State.WARN,
    )  # fmt: skip


async def _notices(tx: Tx) -> Finding:
    count, oldest = await undelivered(tx)
    since = f", the oldest since {oldest:%F %R} UTC" if oldest else ""
    found = f"deliveries to make: {count}{since}"
    return judged(
        "notices", found if count else "every one is delivered or given up", good=not count,
        mend="A worker tries again; `mesh subscription list` tells to whom.", worst=State.WARN,
    )  # fmt: skip


async def _promised(tx: Tx, playbook: Playbook, now: datetime) -> Finding:
    month = Month.of(now)
    try:
        changes = await Agreements(tx, playbook).waiting(month)
    except Fact as fact:
        mend = "Run the version that could read it: until then the month cannot be judged."
        return Finding("promises", State.WARN, fact.detail, mend)
    said = waits(changes, month) if changes else f"{month} is judged by what is promised today"
    return judged(
        "promises", said, good=not changes, mend="Nothing to do, if that is meant.",
        worst=State.WARN,
    )  # fmt: skip


async def _credits(credit: Credits, now: datetime) -> Finding:
    due = await credit.due(now)
    some = ", ".join(f"{tenant} {month}" for tenant, month in due[:_NAMED])
    more = f" and {len(due) - _NAMED} more" if len(due) > _NAMED else ""
    return judged(
        "credits", f"to close or correct: {some}{more}" if due else "every month over is closed",
        good=not due, mend=f"{_WORKER} Or `mesh credit close` at once.", worst=State.WARN,
    )  # fmt: skip


async def _alerts(tx: Tx) -> Finding:
    firing = [one for one in await AlertStore(tx).standing() if one.fired_at]
    told = Counter(one.urgency for one in firing if one.urgency is not Urgency.INFO)
    some = ", ".join(f"{count} {urgency}" for urgency, count in sorted(told.items()))
    return judged(
        "alerts", f"firing: {some}" if some else "none fires that anybody is told of",
        good=not some, mend="See `mesh alert list`.", worst=State.WARN,
    )  # fmt: skip
