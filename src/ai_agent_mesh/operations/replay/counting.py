"""Rows filtered, checked and grouped by minute: DuckDB counts, `sla` says what counts as what."""

from dataclasses import replace
from datetime import timedelta

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.operations.replay.checking import Asked, checked_rows
from ai_agent_mesh.operations.replay.engine import Engine
from ai_agent_mesh.operations.replay.facts import FileUnusable, RowInvalid
from ai_agent_mesh.operations.replay.files import File, has_key, line_of
from ai_agent_mesh.operations.replay.model import Form, Format
from ai_agent_mesh.operations.replay.reading import wrong
from ai_agent_mesh.operations.replay.relations import Relation
from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.sla import (
    OUTCOMES,
    PERCENTILES,
    Category,
    Service,
    fault_of_status,
    started_in,
)

_MILLISECOND = timedelta(milliseconds=1)
_STATUSES = range(100, 600)

OUTSIDE = "outside the judged span"

#: One row a minute, owner, service and category; of what was ignored, one a reason.
_COUNTED = """
CREATE TABLE counted (
  minute BIGINT, owner VARCHAR, service VARCHAR, category VARCHAR, reason VARCHAR, wrong VARCHAR,
  "rows" BIGINT, valid BIGINT, bad BIGINT, timed BIGINT, p50 BIGINT, p95 BIGINT, p99 BIGINT,
  earliest BIGINT, tenant_from VARCHAR, tenant_to VARCHAR
)"""
_STATUS_TABLE = """
CREATE TABLE statuses AS SELECT unnest($status) AS status, unnest($fault) AS fault"""
_OUTCOME_TABLE = """
CREATE TABLE outcomes AS SELECT unnest($fault) AS fault, unnest($valid)::BIGINT AS valid,
  unnest($bad)::BIGINT AS bad, unnest($timed)::BIGINT AS timed"""
_SERVICE_TABLE = "CREATE TABLE services AS SELECT unnest($service) AS service"
_CATEGORY_TABLE = """
CREATE TABLE categories AS SELECT unnest($category) AS category, unnest($p50)::DOUBLE AS p50,
  unnest($p95)::DOUBLE AS p95, unnest($p99)::DOUBLE AS p99"""


def prepare(engine: Engine, playbook: Playbook) -> None:
    """Lay down what statuses, faults and categories mean: by `sla` and by the playbook."""
    engine.run(_COUNTED)
    faults = [fault_of_status(status).value for status in _STATUSES]
    engine.run(_STATUS_TABLE, {"status": list(_STATUSES), "fault": faults})
    outcomes = OUTCOMES.values()
    engine.run(
        _OUTCOME_TABLE,
        {
            "fault": [fault.value for fault in OUTCOMES],
            "valid": [one.valid for one in outcomes],
            "bad": [one.bad for one in outcomes],
            "timed": [one.timed for one in outcomes],
        },
    )
    engine.run(_SERVICE_TABLE, {"service": [service.value for service in Service]})
    targets = {name: [_target(each, name, playbook) for each in Category] for name in PERCENTILES}
    engine.run(_CATEGORY_TABLE, {"category": [each.value for each in Category], **targets})


def _target(category: Category, percentile: str, playbook: Playbook) -> float | None:
    """Return a threshold in milliseconds; None where nothing is promised."""
    promised = playbook.latency.get(category)
    return getattr(promised, percentile) / _MILLISECOND if promised else None


def count(engine: Engine, file: File, found: Relation, form: Form, asked: Asked) -> None:
    """Add the rows of a file to what is counted.

    Raises:
        FileUnusable: the file is not of its format.
        RowInvalid: a row cannot be used: the first one is named with its field.
    """
    rows = checked_rows(found, form, asked)
    minutes = started_in(asked.span)
    parameters = {**found.parameters, "since": minutes.start, "until": minutes.stop}
    if form is Form.RECORDS and asked.tenant is not None:
        parameters["tenant"] = asked.tenant
    engine.read(file, _INSERT.format(rows=rows), parameters)
    if engine.run("SELECT 1 FROM counted WHERE wrong IS NOT NULL LIMIT 1"):
        raise _first_wrong(engine, file, found, form, asked)
    if file.format is Format.LEDGER:
        _check_ended(engine, file)


def _first_wrong(
    engine: Engine, file: File, found: Relation, form: Form, asked: Asked
) -> RowInvalid:
    """Go through the file once more, in order, for the first row that cannot be used."""
    engine.in_order()
    numbered = replace(found, sql=f"SELECT *, row_number() OVER () AS n FROM ({found.sql})")
    rows = checked_rows(numbered, form, asked)
    parameters = dict(found.parameters)
    if form is Form.RECORDS and asked.tenant is not None:
        parameters["tenant"] = asked.tenant
    sql = f"SELECT n, wrong FROM ({rows}) WHERE wrong IS NOT NULL ORDER BY n LIMIT 1"
    ((number, field),) = engine.read(file, sql, parameters)
    shown = "line" if found.expected and field != "status" else field
    sql = f'SELECT "{shown}"::VARCHAR FROM ({found.sql}) LIMIT 1 OFFSET {number - 1}'
    ((value,),) = engine.read(file, sql, found.parameters)
    row = f"line {line_of(file, number)}" if found.row == "line" else f"{found.row} {number}"
    reason = (
        f"is not in {found.expected}: {value[:120]!r}" if shown == "line" else wrong(field, value)
    )
    if value is None and file.format is Format.NDJSON and not has_key(file, number, field):
        reason = "is missing"
    return RowInvalid(
        file=file.name,
        row=row,
        field=shown,
        reason=reason,
        faults=[Fault(f"{row}/{shown}", reason)],
    )


def _check_ended(engine: Engine, file: File) -> None:
    """Let a ledger's export pass when its last line says how much there was, and there was."""
    sql = """
SELECT count(*) FILTER (type = 'entry'), max(entries)
FROM read_json($path, format = 'newline_delimited', records = true,
               columns = {'type': 'VARCHAR', 'entries': 'BIGINT'}, compression = $packed)"""
    parameters = {"path": file.pattern, "packed": file.compression}
    ((found, said),) = engine.read(file, sql, parameters)
    if found != said:
        raise FileUnusable(file=file.name, reason="is cut short: its last line does not close it")


_INSERT = f"""
INSERT INTO counted
SELECT CASE WHEN reason IS NULL AND wrong IS NULL THEN minute END AS place,
  CASE WHEN wrong IS NULL THEN owner END AS whose,
  CASE WHEN wrong IS NULL THEN service END AS what,
  CASE WHEN wrong IS NULL THEN category END AS kind_of,
  reason, wrong, count(*), sum(valid), sum(bad), sum(timed),
  count(*) FILTER (timed = 1 AND bad = 0 AND ms < p50),
  count(*) FILTER (timed = 1 AND bad = 0 AND ms < p95),
  count(*) FILTER (timed = 1 AND bad = 0 AND ms < p99),
  min(minute), min(tenant), max(tenant)
FROM (
  SELECT *, coalesce(skipped, CASE WHEN NOT (minute BETWEEN $since AND $until - 1)
                                   THEN '{OUTSIDE}' END) AS reason
  FROM ({{rows}})
)
GROUP BY ALL
"""
