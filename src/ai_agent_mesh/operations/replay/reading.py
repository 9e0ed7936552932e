"""How a column of any type is read as a moment, a number or a word, and what is said when it cannot be."""  # noqa: E501

import re
from collections.abc import Mapping

from ai_agent_mesh.sla import Category, Fault, Service

_WHOLE_TYPES = frozenset(
    [
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
    ]
)
_ZONED = "TIMESTAMP WITH TIME ZONE"
#: 1973 to 9999: a number beyond was not meant in milliseconds, but in seconds or microseconds.
_FIRST_MS, _LAST_MS = 100_000_000_000, 253_402_300_799_999

# RFC 3339, section 5.6. A leap second has no place in a minute of sixty.
_MOMENT = (
    r"^\d{4}-\d{2}-\d{2}[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)
_NAIVE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?", re.ASCII)
_WHOLE = r"^[0-9]{1,18}$"
#: No minute has a billion billion calls; sums over as many rows as a disk holds stay exact.
_MOST = 999_999_999_999

WRITE_MOMENT = "write RFC 3339 such as 2026-09-01T00:00:00Z, or milliseconds since 1970"
WORDS: Mapping[str, tuple[str, ...]] = {
    "service": tuple(Service),
    "category": tuple(Category),
    "fault": tuple(Fault),
}


def moment_us(column: str, kind: str) -> str:
    """Return SQL for microseconds since 1970; NULL for what is no moment with a zone."""
    if kind == _ZONED:
        return f'epoch_us("{column}")'
    if kind in _WHOLE_TYPES:
        return _from_ms(f'"{column}"')
    if kind != "VARCHAR":
        return "NULL::BIGINT"
    text = f'upper("{column}")'
    return (
        f"CASE WHEN regexp_matches({text}, '{_WHOLE}') "
        f"THEN {_from_ms(f'try_cast({text} AS BIGINT)')} "
        f"WHEN regexp_matches({text}, '{_MOMENT}') "
        f"THEN epoch_us(try_cast({text} AS TIMESTAMPTZ)) END"
    )


def _from_ms(value: str) -> str:
    return f"CASE WHEN {value} BETWEEN {_FIRST_MS} AND {_LAST_MS} THEN {value}::BIGINT * 1000 END"


def whole(column: str, kind: str) -> str:
    """Return SQL for a whole number from 0 to 999,999,999,999; NULL for anything else."""
    if kind == "VARCHAR":
        test = f"regexp_matches(\"{column}\", '{_WHOLE}')"
    elif kind in _WHOLE_TYPES:
        test = "true"
    elif kind in {"DOUBLE", "FLOAT"} or kind.startswith("DECIMAL"):
        test = f'"{column}" = floor("{column}")'  # a table with gaps makes doubles of them
    else:
        return "NULL::BIGINT"
    value = f'try_cast("{column}" AS BIGINT)'
    return f"CASE WHEN {test} AND {value} BETWEEN 0 AND {_MOST} THEN {value} END"


def measure(column: str, kind: str) -> str:
    """Return SQL for a finite number from 0, as a double; NULL for anything else."""
    numeric = kind in _WHOLE_TYPES or kind in {"DOUBLE", "FLOAT"} or kind.startswith("DECIMAL")
    if not numeric and kind != "VARCHAR":
        return "NULL::DOUBLE"
    value = f'try_cast("{column}" AS DOUBLE)'
    # DuckDB reads 1_5 as 15; nobody who wrote it can have meant that.
    plain = f" AND NOT contains(\"{column}\", '_')" if kind == "VARCHAR" else ""
    return f"CASE WHEN isfinite({value}) AND {value} >= 0{plain} THEN {value} END"


def word(column: str, kind: str) -> str:
    """Return SQL for a word; NULL for an empty one, and where the column holds no text."""
    return (
        f"nullif(\"{column}\", '')" if kind == "VARCHAR" else f"nullif(\"{column}\"::VARCHAR, '')"
    )


def wrong(field: str, value: object) -> str:
    """Say what is wrong with a value that was not accepted."""
    text = "" if value is None else str(value)
    if not text:
        return "is empty"
    shown = repr(text[:60])
    if field in WORDS:
        return f"is {shown}; known: {', '.join(WORDS[field])}"
    if field == "at" or field.endswith("_at"):
        if _NAIVE.fullmatch(text):
            return f"is {shown}, without a zone; {WRITE_MOMENT}"
        return f"is {shown}; {WRITE_MOMENT}"
    return f"is {shown}; must be {_MUST_BE[field]}"


_MUST_BE = {
    "status": "an HTTP status from 100 to 599",
    "latency_ms": "a finite number of milliseconds, not negative",
    "valid": f"a whole number from 0 to {_MOST}",
    "bad": "a whole number, not negative and not above valid",
}
