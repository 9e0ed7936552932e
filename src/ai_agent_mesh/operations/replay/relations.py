"""Each format as a relation with the columns of its form, whatever a file calls or types them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai_agent_mesh.operations.replay.engine import Engine
from ai_agent_mesh.operations.replay.facts import FileUnusable
from ai_agent_mesh.operations.replay.files import File
from ai_agent_mesh.operations.replay.logs import LOGS, log_relation
from ai_agent_mesh.operations.replay.model import Form, Format
from ai_agent_mesh.operations.replay.paths import PathRow

#: The columns of each form: those that must be there, and those that may.
COLUMNS: Mapping[Form, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Form.RECORDS: (("at", "tenant", "service", "category", "status", "latency_ms"), ("fault",)),
    Form.MINUTES: (("at", "service", "valid", "bad"), ()),
    Form.MAINTENANCE: (("announced_at", "starts_at", "ends_at"), ("service", "cancelled_at")),
}
TEXT = "VARCHAR"


@dataclass(frozen=True, slots=True)
class Relation:
    """A SELECT whose columns are those of the form, with the types that they have."""

    sql: str
    parameters: Mapping[str, object]
    types: Mapping[str, str]
    #: Columns of the file that mean nothing here.
    unread: tuple[str, ...] = ()
    #: What a row is called, and what a log's row that does not fit is not.
    row: str = "line"
    expected: str = ""


def relation(file: File, form: Form, engine: Engine, paths: Sequence[PathRow] = ()) -> Relation:
    """Return how a file is read as a form.

    Raises:
        FileUnusable: a column is missing, or the format has no such rows.
    """
    if file.format in LOGS or file.format is Format.LEDGER:
        if form is not Form.RECORDS:
            reason = f"{file.format.value} holds records, not {form.value}"
            raise FileUnusable(file=file.name, reason=reason)
        return _ledger(file) if file.format is Format.LEDGER else _log(file, paths)
    if file.format is Format.CSV:
        return _csv(file, form)
    if file.format is Format.NDJSON:
        return _ndjson(file, form, engine)
    return _parquet(file, form, engine)


def _source(file: File) -> dict[str, object]:
    return {"path": file.pattern}


def _chosen(file: File, form: Form, there: Sequence[str]) -> list[str]:
    """Return the columns that are read; those that must be there are."""
    needed, optional = COLUMNS[form]
    missing = [name for name in needed if name not in there]
    if missing:
        line = "line 1: " if file.format is Format.CSV else ""
        few = "column {} is" if len(missing) == 1 else "columns {} are"
        lacks = few.format(", ".join(missing))
        reason = f"{line}{lacks} missing; needed: {', '.join(needed)}"
        if missing == list(needed) and form is Form.RECORDS:
            reason += "; an access log needs --format nginx or envoy"
        raise FileUnusable(file=file.name, reason=reason)
    return [*needed, *(name for name in optional if name in there)]


def _unread(form: Form, there: Sequence[str]) -> tuple[str, ...]:
    needed, optional = COLUMNS[form]
    return tuple(name for name in there if name not in needed and name not in optional)


def _csv(file: File, form: Form) -> Relation:
    chosen = _chosen(file, form, file.columns)
    # By place, so that no name in the file can mean anything in SQL.
    columns = ", ".join(f"'c{place}': '{TEXT}'" for place in range(len(file.columns)))
    picked = ", ".join(f'c{file.columns.index(name)} AS "{name}"' for name in chosen)
    sql = (
        f"SELECT {picked} FROM read_csv($path, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', columns = {{{columns}}}, hive_partitioning = false, "
        f"compression = '{file.compression}')"
    )
    return Relation(sql, _source(file), dict.fromkeys(chosen, TEXT), _unread(form, file.columns))


# Any line may have a key that no other has, a misspelt one say: all are asked.
_KEYS = """
SELECT DISTINCT unnest(keys) FROM (
  SELECT DISTINCT json_keys(json)::VARCHAR[] AS keys
  FROM read_ndjson_objects($path, hive_partitioning = false, compression = $packed)
) ORDER BY 1"""


def _ndjson(file: File, form: Form, engine: Engine) -> Relation:
    needed, optional = COLUMNS[form]
    names = [*needed, *optional]
    columns = ", ".join(f"'{name}': '{TEXT}'" for name in names)
    picked = ", ".join(f'"{name}"' for name in names)
    sql = (
        f"SELECT {picked} FROM read_json($path, format = 'newline_delimited', records = true, "
        f"columns = {{{columns}}}, hive_partitioning = false, "
        f"compression = '{file.compression}')"
    )
    keys = engine.read(file, _KEYS, {**_source(file), "packed": file.compression})
    unread = _unread(form, [key for (key,) in keys])
    return Relation(sql, _source(file), dict.fromkeys(names, TEXT), unread)


def _parquet(file: File, form: Form, engine: Engine) -> Relation:
    sql = "SELECT * FROM read_parquet($path, hive_partitioning = false)"
    types = dict(engine.describe(file, sql, _source(file)))
    chosen = _chosen(file, form, list(types))
    picked = ", ".join(f'"{name}"' for name in chosen)
    return Relation(
        sql.replace("*", picked, 1),
        _source(file),
        {name: types[name] for name in chosen},
        _unread(form, list(types)),
        row="row",
    )


def _log(file: File, paths: Sequence[PathRow]) -> Relation:
    log = LOGS[file.format]
    sql, parameters = log_relation(log, file.compression, paths)
    return Relation(sql, {**_source(file), **parameters}, log.types, expected=log.expected)


# A correction is an entry beside the one that it names; the last one of a call says whose fault it
# was. An entry leaves out what has its default.
_LEDGER = """
WITH entries AS (
  SELECT text, number, text ->> '$.kind' AS kind, coalesce(text ->> '$.fault', 'none') AS fault
  FROM read_json($path, format = 'newline_delimited', records = true,
                 columns = {'type': 'VARCHAR', 'number': 'BIGINT', 'text': 'VARCHAR'},
                 hive_partitioning = false, compression = $packed)
  WHERE type = 'entry'
), corrected AS (
  SELECT text ->> '$.object' AS entry, arg_max(fault, number) AS fault
  FROM entries WHERE kind = 'amendment' GROUP BY 1
)
SELECT text ->> '$.at' AS "at", text ->> '$.tenant' AS tenant, text ->> '$.service' AS service,
  text ->> '$.category' AS category, text ->> '$.status' AS status,
  coalesce((text ->> '$.latency_us')::BIGINT, 0) / 1000 AS latency_ms,
  coalesce(corrected.fault, entries.fault) AS fault, kind
FROM entries LEFT JOIN corrected ON corrected.entry = text ->> '$.id'
"""


def _ledger(file: File) -> Relation:
    """Read an export's entries; what is no call has no service and is told apart by its kind."""
    fields = ("at", "tenant", "service", "category", "status", "fault", "kind")
    types = {**dict.fromkeys(fields, TEXT), "latency_ms": "DOUBLE"}
    parameters = {**_source(file), "packed": file.compression}
    return Relation(_LEDGER, parameters, types, row="entry")
