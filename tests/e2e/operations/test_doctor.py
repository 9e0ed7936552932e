"""The doctor says in a line each what was promised and still waits."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from tests.e2e.operations.conftest import Book

from ai_agent_mesh.cli.doctor.finding import Finding, State
from ai_agent_mesh.cli.doctor.waiting import promises
from ai_agent_mesh.kernel.spans import MINUTE, Month
from ai_agent_mesh.playbook import Playbook, default, parse
from ai_agent_mesh.settings import Settings

#: Over for long, whatever day it is.
BEFORE = Month.of(datetime.now(UTC) - timedelta(days=65))
CHANGED = parse(b"latency: {agent_crud: {p50: 90ms}}", "changed")

WAITING = """
INSERT INTO scheduled_job (name, due_at, fired_at, fired_by) VALUES ('credits.close',
  now() - interval '3 h', now() - interval '4 h', 'wrk_gone');
INSERT INTO subscription (tenant_id, id, url, topics, secret, created_at, created_by)
VALUES ('{tenant}', 'sub_a', 'https://example.com/', '{{maintenance}}', '\\x00',
  now() - interval '2 h', 'usr_a');
INSERT INTO notice (id, topic, type, at, object, data)
VALUES ('ntc_a', 'maintenance', 'maintenance.announced', now() - interval '1 h', 'mnt_a', '{{}}');
INSERT INTO alert (tenant_id, id, rule, name, urgency, tells, summary, since, fired_at) VALUES
  ('platform', 'alr_a', 'critical/disk_usage', 'DiskUsage', 'critical', 'page', '', now(), now()),
  ('platform', 'alr_b', 'info/backup_completed', 'B', 'info', 'dashboard', '', now(), now());
"""


async def found(book: Book, folder: Path, playbook: Playbook) -> dict[str, Finding]:
    """Return what the doctor finds, by check."""
    looked = promises(Settings(data=folder), book.databases.url, playbook)
    return {one.check: one async for one in looked}


def real_time(book: Book) -> datetime:
    """Set the clock to the real time, which is what the doctor looks at, and return it."""
    now = datetime.now(UTC)
    book.clock.move(now - book.clock.now())
    return now


async def test_nothing_waits_where_all_was_done_but_the_probe_that_never_ran(
    book: Book, tmp_path: Path
) -> None:
    now = real_time(book)
    await book.calls(await book.tenant("acme", "enterprise", now - MINUTE), now - MINUTE)
    await book.number()
    told = await found(book, tmp_path, default())
    waiting = {check for check, one in told.items() if one.state is not State.PASS}
    assert waiting == {"probe"}
    assert len(told) == 8
    assert "ever watched" in told["probe"].found


async def test_whatever_waits_is_told_in_a_line_with_its_mend(book: Book, tmp_path: Path) -> None:
    now = real_time(book)
    tenant = await book.tenant("acme", "enterprise", BEFORE.since)
    await book.probe(now - 9 * MINUTE, 3)
    await book.number()
    await book.calls(tenant, now - 5 * MINUTE)
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "1.ndjson").write_text(json.dumps({}))
    owner = await asyncpg.connect(book.databases.migrate_url)
    await owner.execute(WAITING.format(tenant=tenant))
    await owner.close()
    told = await found(book, tmp_path, CHANGED)
    said = {check: one.found for check, one in told.items() if one.state is State.WARN}
    assert set(said) == set(told)
    assert said["spooled"] == "files of refused calls not imported yet: 1"
    assert said["ledger"].startswith("entries without their number: 1, ")
    assert "the oldest for 3" in said["ledger"]
    assert "governance" in said["probe"]
    assert said["scheduled jobs"].startswith("overdue: credits.close since ")
    assert said["notices"].startswith("deliveries to make: 1, the oldest since 20")
    assert "latency.agent_crud.p50 (100ms -> 90ms)" in said["promises"]
    assert said["credits"].startswith(f"to close or correct: {tenant} {BEFORE}, {tenant} ")
    assert said["alerts"] == "firing: 1 critical"
    assert all(one.mend and "\n" not in one.found + one.mend for one in told.values())
