"""Rows with what each came to: its minute, what it counts as, and the first field that is wrong."""

from dataclasses import dataclass

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.replay.model import Form
from ai_agent_mesh.operations.replay.reading import measure, moment_us, whole, word
from ai_agent_mesh.operations.replay.relations import Relation
from ai_agent_mesh.operations.statements import PROBE

OTHER_TENANT = "of another tenant"
NO_CALL = "not a call"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted: the minutes of a span, and whose; `apart` keeps tenants apart."""

    span: Span
    tenant: str | None = None
    apart: bool = False


def checked_rows(found: Relation, form: Form, asked: Asked) -> str:
    """Return a SELECT of minute, tenant, owner, service, category, skipped, valid, bad, timed, ms,
    p50, p95, p99, wrong, and `n` where the relation numbers its rows.
    """
    number = ", n" if "row_number()" in found.sql else ""
    if form is Form.MINUTES:
        return _minutes(found, number)
    return _records(found, asked, number)


def _records(found: Relation, asked: Asked, number: str) -> str:
    types = found.types
    ledger, log = "kind" in types, bool(found.expected)
    fault = word("fault", types["fault"]) if "fault" in types else "NULL::VARCHAR"
    # In a ledger only calls are judged; what is none has neither service nor category.
    call = "kind = 'call'" if ledger else "true"
    skipped = f"WHEN NOT ({call}) THEN '{NO_CALL}'"
    if asked.tenant is not None:
        skipped += f" WHEN tenant NOT IN ($tenant, '{PROBE}') THEN '{OTHER_TENANT}'"
    owner = "tenant" if asked.apart else f"CASE WHEN tenant = '{PROBE}' THEN tenant ELSE '' END"
    # Where the fault is always known, the status decides nothing and may be missing.
    known = "blamed IS NOT NULL" if ledger or log else "false"
    return f"""
SELECT minute, tenant, {owner} AS owner, typed.service, typed.category,
  CASE {skipped} END AS skipped, outcomes.valid, outcomes.bad,
  CASE WHEN p50 IS NULL THEN 0 ELSE outcomes.timed END AS timed, ms, p50, p95, p99,
  CASE WHEN minute IS NULL THEN 'at'
       WHEN tenant IS NULL THEN 'tenant'
       WHEN NOT ({call}) THEN NULL
       WHEN services.service IS NULL THEN 'service'
       WHEN categories.category IS NULL THEN 'category'
       WHEN statuses.status IS NULL AND NOT ({known}) THEN 'status'
       WHEN outcomes.fault IS NULL THEN 'fault'
       WHEN ms IS NULL THEN 'latency_ms' END AS wrong {number}
FROM (
  SELECT {moment_us("at", types["at"])} // 60000000 AS minute,
    {word("tenant", types["tenant"])} AS tenant, {word("service", types["service"])} AS service,
    {word("category", types["category"])} AS category, {fault} AS blamed,
    {whole("status", types["status"])} AS status,
    {measure("latency_ms", types["latency_ms"])} AS ms {", kind" if ledger else ""} {number}
  FROM ({found.sql})
) AS typed
LEFT JOIN statuses ON typed.status = statuses.status
LEFT JOIN outcomes ON outcomes.fault = coalesce(blamed, statuses.fault)
LEFT JOIN services ON typed.service = services.service
LEFT JOIN categories ON typed.category = categories.category"""


def _minutes(found: Relation, number: str) -> str:
    types = found.types
    return f"""
SELECT minute, '' AS tenant, '' AS owner, typed.service, NULL::VARCHAR AS category,
  NULL::VARCHAR AS skipped, valid, bad, 0 AS timed, NULL::DOUBLE AS ms, NULL::DOUBLE AS p50,
  NULL::DOUBLE AS p95, NULL::DOUBLE AS p99,
  CASE WHEN minute IS NULL THEN 'at' WHEN services.service IS NULL THEN 'service'
       WHEN valid IS NULL THEN 'valid' WHEN bad IS NULL OR bad > valid THEN 'bad' END AS wrong
  {number}
FROM (
  SELECT {moment_us("at", types["at"])} // 60000000 AS minute,
    {word("service", types["service"])} AS service, {whole("valid", types["valid"])} AS valid,
    {whole("bad", types["bad"])} AS bad {number}
  FROM ({found.sql})
) AS typed
LEFT JOIN services ON typed.service = services.service"""
