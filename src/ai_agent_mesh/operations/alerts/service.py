"""Evaluates every rule over the ledger's minutes, keeps the alerts, and leaves evidence of each."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.agreements import Agreements
from ai_agent_mesh.operations.alerts.definition import rules
from ai_agent_mesh.operations.alerts.evaluating import State, holds, moved, state_of
from ai_agent_mesh.operations.alerts.model import Alert, Burn, Rule
from ai_agent_mesh.operations.alerts.readings import Readings, windows
from ai_agent_mesh.operations.alerts.store import AlertStore, last_events, latencies
from ai_agent_mesh.operations.alerts.surroundings import Surroundings
from ai_agent_mesh.operations.objectives import read_windows
from ai_agent_mesh.operations.statements import settled_until
from ai_agent_mesh.playbook import Playbook, Signal, promising
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.identity import PLATFORM_TENANT
from ai_agent_mesh.product.ledger import Entry, Inbox, Kind

_log = get_logger("alerts")


class Alerts:
    """The platform's alerts, without Prometheus."""

    def __init__(
        self,
        app: Database,
        operations: Database,
        playbook: Playbook,
        clock: Clock,
        *,
        version: str,
        surroundings: Surroundings,
    ) -> None:
        self._app = app
        self._operations = operations
        self._playbook = playbook
        self._clock = clock
        self._version = version
        self._surroundings = surroundings

    async def evaluate(self, now: datetime) -> list[Alert]:
        """Evaluate every rule as of a moment; return the alerts that fired or ended now.

        Safe to run from several workers at once, and again for the same moment.
        """
        await self._note_deployment(now)
        playbook, readings = await self._read(now)
        told: list[Alert] = []
        async with self._app.tenant(PLATFORM_TENANT) as tx:
            store = AlertStore(tx)
            known = await store.open()
            for rule in rules(playbook):
                reached = holds(rule, readings, playbook)
                changed = await _step(store, rule, known.pop(rule.key, None), now, holds=reached)
                told += [changed] if changed else []
            for orphan in known.values():  # its rule has left the playbook
                told += [done] if (done := await _end(store, orphan, now)) else []
            for alert in told:
                await Inbox.insert(tx, _entry(alert, now, self._playbook.digest))
        for alert in told:
            _log.warning("alert", state=state_of(alert).value, rule=alert.rule, id=alert.id)
        return told

    async def readings(self, now: datetime) -> Readings:
        """Return what rules are evaluated over, up to the last minute that is settled."""
        return (await self._read(now))[1]

    async def _read(self, now: datetime) -> tuple[Playbook, Readings]:
        """Return today's playbook with the promises of the month, and the readings."""
        over = self._playbook.alerting.rates_over
        async with self._operations.transaction() as tx:
            agreed = await Agreements(tx, self._playbook).of(Month.of(now))
            playbook = promising(self._playbook, agreed)
            until = settled_until(now, playbook)
            return playbook, Readings(
                now,
                await read_windows(tx, until, windows(playbook), playbook, tenant=None),
                await latencies(tx, Span(until - over, until)),
                await self._surroundings.shares(tx),
                {**await last_events(tx), **self._loops(now)},
            )

    async def happened(self, signal: Signal, subject: str, at: datetime) -> bool:
        """Note an event, such as a backup that completed; False when it is known already."""
        async with self._app.tenant(PLATFORM_TENANT) as tx:
            return await AlertStore(tx).event(signal, subject, at)

    async def _note_deployment(self, now: datetime) -> None:
        """A version that was never seen here has just been deployed."""
        if await self.happened(Signal.DEPLOYMENT_COMPLETED, self._version, now):
            _log.info("alerts.deployment", version=self._version)

    def _loops(self, now: datetime) -> Mapping[Signal, datetime]:
        loop = self._playbook.alerting.crash_loop
        looping = any(n >= loop.restarts for n in self._surroundings.restarted(now - loop.within))
        return {Signal.POD_CRASH_LOOP: now} if looping else {}


async def _step(
    store: AlertStore, rule: Rule, alert: Alert | None, now: datetime, *, holds: bool
) -> Alert | None:
    """Move one rule's alert on; return it when it fired or ended by that."""
    before = state_of(alert) if alert else State.INACTIVE
    after = moved(before, alert.since if alert else None, rule, holds=holds, now=now)
    if alert is None:
        if after is State.INACTIVE:
            return None
        fresh = _begun(rule, now, fired=after is State.FIRING)
        await store.insert(fresh)
        return fresh if after is State.FIRING else None
    if after is before:
        return None
    if after is State.FIRING:
        fired = msgspec.structs.replace(alert, fired_at=now)
        await store.update(fired)
        return fired
    return await _end(store, alert, now)


async def _end(store: AlertStore, alert: Alert, now: datetime) -> Alert | None:
    """End an alert; one that never fired leaves nothing."""
    if alert.fired_at is None:
        await store.forget(alert)
        return None
    done = msgspec.structs.replace(alert, resolved_at=now)
    await store.update(done)
    return done


def _begun(rule: Rule, now: datetime, *, fired: bool) -> Alert:
    watched = rule.watches
    return Alert(
        id=new_id("alr"),
        rule=rule.key,
        name=rule.name,
        urgency=rule.urgency,
        tells=rule.tells,
        objective=watched.objective.name if isinstance(watched, Burn) else None,
        summary=rule.summary,
        since=now,
        fired_at=now if fired else None,
    )


def _entry(alert: Alert, now: datetime, playbook: str) -> Entry:
    """Return the evidence of an alert's beginning or end: when we knew must be provable."""
    return Entry(
        id=new_id("ent"),
        kind=Kind.NOTICE,
        tenant=PLATFORM_TENANT,
        at=now,
        actor=PLATFORM_TENANT,
        object=alert.id,
        playbook=playbook,
        detail={
            "notice": f"alert.{state_of(alert)}",
            "rule": alert.rule,
            "tells": alert.tells,
            "since": alert.since.isoformat(),
            "summary": alert.summary,
        },
    )
