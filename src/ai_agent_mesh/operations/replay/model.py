"""What is asked of files, and what reading them came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Form(StrEnum):
    """What a row of a file is."""

    RECORDS = "records"
    MINUTES = "minutes"
    MAINTENANCE = "maintenance"


class Format(StrEnum):
    """How rows are written."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"
    NGINX = "nginx"
    ENVOY = "envoy"
    LEDGER = "ledger"


class Origin(StrEnum):
    """Where something came from that judges the records."""

    #: Given with the question.
    GIVEN = "given"
    #: Brought by the records: an exported ledger's own.
    RECORDS = "records"
    #: This installation's, since the records bring none.
    INSTALLED = "installed"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in the files; every row is in `judged` or among the ignored."""

    files: tuple[str, ...]
    rows: int
    judged: int
    #: Why rows were left out, and how many.
    ignored: Mapping[str, int] = field(default_factory=dict)
    #: The minutes of the first and the last judged row.
    first: datetime | None = None
    last: datetime | None = None
    #: Names of columns that mean nothing here.
    unread: tuple[str, ...] = ()
    #: Rows of more than one tenant were judged as one.
    pooled: bool = False
    playbook_from: Origin = Origin.INSTALLED
    #: Null where no maintenance is known of.
    maintenance_from: Origin | None = None
