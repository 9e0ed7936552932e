"""The access logs of nginx and Envoy: what a line looks like, and what its parts mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_agent_mesh.operations.replay.model import Format
from ai_agent_mesh.operations.replay.paths import PathRow
from ai_agent_mesh.sla import Category, Fault, Service

_QUOTED = r'"[^"]*"'


@dataclass(frozen=True, slots=True)
class Log:
    """A pattern with its groups, and the expressions that make a record of them."""

    pattern: str
    groups: tuple[str, ...]
    at_ms: str
    path: str
    status: str
    latency_ms: str
    fault: str
    expected: str

    @property
    def types(self) -> Mapping[str, str]:
        """Return the types of the record's columns."""
        text = dict.fromkeys(("tenant", "service", "category", "fault", "line"), "VARCHAR")
        return {**text, "at": "BIGINT", "status": "INTEGER", "latency_ms": "DOUBLE"}


# nginx's `combined` with $request_time at its end; what follows on the line (such as
# $upstream_response_time) is not read. $time_local is when the line was written, that is the moment
# of completion, in whole seconds. It writes 000 when it began no answer, and 009 when the one it
# passed on had no status: our fault, unless no request had come ("-": over HTTP/2 a caller can
# break the protocol, or leave, before that).
_NGINX = Log(
    pattern=(
        rf'^\S+ - .*? \[([^\]]+)\] "([^"]*)" (\d{{3}}) \d+ {_QUOTED} {_QUOTED} (\d+\.\d+)(?: .*)?$'
    ),
    groups=("time", "request", "status", "seconds"),
    at_ms="epoch_ms(try_strptime(part.time, '%d/%b/%Y:%H:%M:%S %z'))",
    path=r"regexp_extract(part.request, '^\S+ (\S+)', 1)",
    status="try_cast(part.status AS INTEGER)",
    latency_ms="try_cast(part.seconds AS DECIMAL(18, 6)) * 1000",
    fault=(
        "CASE WHEN part.status IN ('000', '009') THEN CASE WHEN part.request IN ('', '-') "
        f"THEN '{Fault.CLIENT}' ELSE '{Fault.PLATFORM}' END END"
    ),
    expected="nginx's combined format with $request_time at its end",
)

# Envoy's default format string; %START_TIME% is when the request began, so its duration is added.
# Code 0 means that no answer was sent: with the flag DC because the caller had left, with DR as it
# took the request back (HTTP/2's RST_STREAM), with DPE because it broke the protocol.
_ENVOY = Log(
    pattern=r'^\[([^\]]+)\] "(\S+) (.*?) (\S+)" (\d+) (\S+) \d+ \d+ (\d+) (?:\d+|-) ".*"$',
    groups=("time", "method", "target", "protocol", "status", "flags", "duration"),
    at_ms="epoch_ms(try_cast(part.time AS TIMESTAMPTZ)) + try_cast(part.duration AS BIGINT)",
    path="part.target",
    status="nullif(try_cast(part.status AS INTEGER), 0)",
    latency_ms="try_cast(part.duration AS DOUBLE)",
    fault=(
        "CASE WHEN part.status = '0' THEN CASE WHEN list_has_any(string_split(part.flags, ','), "
        f"['DC', 'DR', 'DPE']) THEN '{Fault.CLIENT}' ELSE '{Fault.PLATFORM}' END END"
    ),
    expected="Envoy's default format",
)

LOGS = {Format.NGINX: _NGINX, Format.ENVOY: _ENVOY}
#: Logs name no tenant.
NOBODY = "-"


def log_relation(
    log: Log, compression: str, paths: Sequence[PathRow]
) -> tuple[str, dict[str, object]]:
    """Return the SELECT that makes records of a log's lines, and its parameters.

    Lines are read as Latin-1, where every byte is a character: Envoy writes a caller's bytes as
    they came, and no caller shall be able to make a log unreadable.
    """
    groups = ", ".join(f"'{name}'" for name in log.groups)
    parameters: dict[str, object] = {"pattern": log.pattern}
    service, category = [], []
    for place, row in enumerate(paths):
        parameters[f"path{place}"] = row.path.encode().decode("latin-1")
        test = f"target GLOB $path{place}" if row.is_glob else f"starts_with(target, $path{place})"
        service.append(f"WHEN {test} THEN '{row.service}'")
        category.append(f"WHEN {test} THEN '{row.category}'")
    sql = f"""
SELECT {log.at_ms} AS "at", '{NOBODY}' AS tenant, {_case(service, Service.API)} AS service,
       {_case(category, Category.OTHER)} AS category, {log.status} AS status,
       {log.latency_ms} AS latency_ms, {log.fault} AS fault, line
FROM (
  SELECT part, line, string_split({log.path}, '?')[1] AS target
  FROM (
    SELECT line, regexp_extract(line, $pattern, [{groups}]) AS part
    FROM read_csv($path, auto_detect = false, header = false, delim = '\x01', quote = '',
                  escape = '', strict_mode = false, encoding = 'latin-1',
                  columns = {{'line': 'VARCHAR'}}, hive_partitioning = false,
                  compression = '{compression}')
    WHERE trim(line) <> ''
  )
)"""
    return sql, parameters


def _case(tests: list[str], otherwise: str) -> str:
    return f"CASE {' '.join(tests)} ELSE '{otherwise}' END" if tests else f"'{otherwise}'"
