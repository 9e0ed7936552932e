"""Alerts without Prometheus: from the ledger's minutes to one alert, its evidence and its end."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec import json
from tests.e2e.operations.conftest import Book, at

from ai_agent_mesh.kernel.spans import MINUTE
from ai_agent_mesh.operations.alerts import (
    Alert,
    Alerts,
    AlertStore,
    Availability,
    Surroundings,
    requests,
    windows,
)
from ai_agent_mesh.playbook import Playbook, Signal, parse
from ai_agent_mesh.plumbing.processes import note_restart
from ai_agent_mesh.product.identity import PLATFORM_TENANT
from ai_agent_mesh.sla import Fault, Requests, Service

#: A minute may be judged once the probe has come round again.
SETTLED = timedelta(seconds=15)


def alerts_of(book: Book, tmp_path: Path, playbook: Playbook | None = None) -> Alerts:
    return Alerts(
        book.databases.app,
        book.databases.operations,
        playbook or book.playbook,
        book.clock,
        version="1.0.0",
        surroundings=Surroundings(tmp_path, tmp_path / "restarts.json"),
    )


async def kept(book: Book) -> list[Alert]:
    async with book.databases.app.tenant(PLATFORM_TENANT) as tx:
        return list((await AlertStore(tx).open()).values())


async def evidence(book: Book) -> list[tuple[str, str]]:
    """Return what the platform's ledger says of alerts, oldest first."""
    await book.number()
    async with book.databases.operations.transaction() as tx:
        rows = await tx.fetch(
            "SELECT bytes FROM ledger_entry WHERE tenant_id = 'platform' AND kind = 'notice'"
            " ORDER BY number"
        )
    details = (json.decode(row["bytes"])["detail"] for row in rows)
    return [(detail["notice"], detail["rule"]) for detail in details]


async def walk(alerts: Alerts, first: datetime, minutes: int) -> list[tuple[int, str, bool]]:
    """Evaluate minute by minute; return when which rule fired or ended."""
    told = []
    for minute in range(1, minutes + 1):
        moved = await alerts.evaluate(first + minute * MINUTE + SETTLED)
        told += [(minute, one.rule, one.resolved_at is None) for one in moved]
    return told


async def test_an_outage_fires_each_alert_once_and_its_end_resolves_it(
    book: Book, tmp_path: Path
) -> None:
    for minute in range(20):
        fault = Fault.PLATFORM if 5 <= minute < 8 else Fault.NONE
        await book.calls("ten_a", at(minute, 5), times=4, fault=fault)
    await book.number()
    told = await walk(alerts_of(book, tmp_path), at(0), 20)
    moments: dict[str, list[tuple[int, bool]]] = {}
    for minute, rule, firing in told:
        moments.setdefault(rule, []).append((minute, firing))
    # Bad from 10:05: over the level from the 6th look on, which must last; gone from the five
    # minutes before the 13th look.
    lasting = book.playbook.alerting.lasting // MINUTE
    for urgency in ("critical", "warning"):
        assert moments[f"{urgency}/api_error_rate"] == [(6 + lasting, True), (13, False)]
        burn = moments[f"{urgency}/burn/api-availability"]
        assert [firing for _, firing in burn][:1] == [True]
        assert burn[0][0] == 6
    assert moments["critical/burn/api-availability"][1:] == []  # half an hour is not over yet
    assert "critical/burn/telemetry-availability" not in moments
    assert moments["info/deployment_completed"] == [(1, True), (11, False)]
    said = await evidence(book)
    assert said.count(("alert.firing", "critical/api_error_rate")) == 1
    assert said.count(("alert.resolved", "critical/api_error_rate")) == 1
    assert len(said) == len(told)


async def test_a_platform_that_is_silent_alarms_though_nothing_failed(
    book: Book, tmp_path: Path
) -> None:
    await book.probe(at(0), 10, without=())
    await book.number()
    told = await walk(alerts_of(book, tmp_path), at(9), 8)
    fired = {rule for _, rule, firing in told if firing}
    assert {"critical/api_error_rate", "critical/burn/platform-availability"} <= fired
    detect = book.playbook.kpis.platform.detect_within // MINUTE
    assert min(minute for minute, rule, _ in told if rule == "critical/api_error_rate") <= detect


async def test_a_healthy_platform_alarms_nobody(book: Book, tmp_path: Path) -> None:
    await book.probe(at(0), 15)
    await book.number()
    told = await walk(alerts_of(book, tmp_path), at(5), 10)
    assert {rule for _, rule, _ in told} == {"info/deployment_completed"}


async def test_what_ended_before_it_fired_leaves_nothing(book: Book, tmp_path: Path) -> None:
    slow = parse(b"alerting: {lasting: 10m, burn: {windows: []}}", "slow")
    for minute in range(12):
        fault = Fault.PLATFORM if minute == 2 else Fault.NONE
        await book.calls("ten_a", at(minute, 5), times=4, fault=fault)
    await book.number()
    alerts = alerts_of(book, tmp_path, slow)
    await alerts.evaluate(at(4) + SETTLED)
    pending = [one.rule for one in await kept(book) if one.fired_at is None]
    assert pending == ["critical/api_error_rate", "warning/api_error_rate"]
    await walk(alerts, at(8), 3)
    assert [one for one in await kept(book) if "error_rate" in one.rule] == []
    assert [rule for _, rule in await evidence(book)] == ["info/deployment_completed"]


async def test_workers_that_evaluate_at_once_raise_one_alert(book: Book, tmp_path: Path) -> None:
    await book.calls("ten_a", at(0, 5), times=20, fault=Fault.PLATFORM)
    await book.number()
    now = at(1) + SETTLED
    told = await asyncio.gather(*(alerts_of(book, tmp_path).evaluate(now) for _ in range(4)))
    rules = [one.rule for some in told for one in some]
    assert len(rules) == len(set(rules))
    assert "critical/burn/api-availability" in rules
    assert len(await evidence(book)) == len(rules)


async def test_an_alert_whose_rule_has_left_the_playbook_ends(book: Book, tmp_path: Path) -> None:
    await book.calls("ten_a", at(0, 5), times=20, fault=Fault.PLATFORM)
    await book.number()
    await alerts_of(book, tmp_path).evaluate(at(1) + SETTLED)
    without = parse(b"alerting: {burn: {windows: []}}", "without")
    told = await alerts_of(book, tmp_path, without).evaluate(at(2) + SETTLED)
    assert {one.rule.split("/")[1] for one in told if one.resolved_at} == {"burn"}
    assert [one.rule for one in await kept(book) if one.objective] == []


async def test_windows_hold_the_calls_of_all_tenants_and_late_ones_too(
    book: Book, tmp_path: Path
) -> None:
    alerts = alerts_of(book, tmp_path)
    last = windows(book.playbook)[-1]
    until = at(0, day=9)
    await book.calls("ten_a", until - last, times=3)
    await book.calls("ten_b", until - timedelta(minutes=1), times=2, fault=Fault.PLATFORM)
    await book.calls("ten_b", until - last - timedelta(minutes=1), times=50)
    await book.calls("ten_b", until, times=50)
    await book.number()
    await book.calls("ten_c", until - timedelta(minutes=1), times=7, latency_us=10_000_000)
    await book.number()
    read = await alerts.readings(until + SETTLED)
    counted = {
        length: requests(read.windows[length], Availability(Service.API), 4)
        for length in windows(book.playbook)
    }
    assert counted[last] == Requests(12, 2)
    assert counted[timedelta(minutes=5)] == Requests(9, 2)
    assert sum(read.latencies.values()) == 9


async def test_a_process_that_keeps_restarting_is_a_crash_loop(book: Book, tmp_path: Path) -> None:
    now = at(1) + SETTLED
    for _ in range(book.playbook.alerting.crash_loop.restarts):
        note_restart(tmp_path / "restarts.json", "worker-1", now - MINUTE)
    told = await alerts_of(book, tmp_path).evaluate(now)
    assert "critical/pod_crash_loop" in {one.rule for one in told}
    over = await alerts_of(book, tmp_path).evaluate(now + book.playbook.alerting.crash_loop.within)
    assert "critical/pod_crash_loop" in {one.rule for one in over if one.resolved_at}


async def test_an_event_is_told_once_and_then_no_more(book: Book, tmp_path: Path) -> None:
    alerts, now = alerts_of(book, tmp_path), at(1) + SETTLED
    assert await alerts.happened(Signal.BACKUP_COMPLETED, "bak_1", now)
    assert not await alerts.happened(Signal.BACKUP_COMPLETED, "bak_1", now)
    told = await walk(alerts, at(0), 15)
    moments = [(minute, firing) for minute, rule, firing in told if rule == "info/backup_completed"]
    assert moments == [(1, True), (11, False)]


@pytest.mark.parametrize("tenant", ["ten_a", "probe"])
async def test_nobody_but_the_platform_sees_alerts(book: Book, tmp_path: Path, tenant: str) -> None:
    await alerts_of(book, tmp_path).evaluate(at(1) + SETTLED)
    assert await kept(book) != []
    async with book.databases.app.tenant(tenant) as tx:
        assert await AlertStore(tx).open() == {}
