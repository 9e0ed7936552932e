"""What is remembered of a piece of work: a span with its cost, and figures drawn from many."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

Attribute = str | int | float | bool | list[str]


class Kind(StrEnum):
    """What a span is about."""

    RUN = "run"
    TASK = "task"
    AGENT_CALL = "agent_call"
    POLICY_DECISION = "policy_decision"


class SpanRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One finished piece of work; `attributes` carry OpenTelemetry names (see `names`)."""

    trace_id: str
    span_id: str
    name: str
    kind: Kind
    started_at: datetime
    duration_us: int
    parent_id: str | None = None
    attributes: dict[str, Attribute] = msgspec.field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    error_type: str | None = None
    agent_id: str | None = None
    workflow: str | None = None
    run_id: str | None = None


class StoredSpan(SpanRecord, frozen=True, kw_only=True):
    """A span as it was kept, with the id that pages go by."""

    id: str


class Slice(msgspec.Struct, frozen=True):
    """Which spans a question is about; None leaves an aspect open."""

    since: datetime
    until: datetime
    kind: Kind | None = None
    agent_id: str | None = None
    workflow: str | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, sums and exact percentiles of a set of spans; durations in microseconds."""

    count: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    p50_us: int | None
    p95_us: int | None
    p99_us: int | None


class Bucket(Figures, frozen=True, kw_only=True):
    """The figures of the spans that started in `[since, since + step)`."""

    since: datetime


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one agent, workflow or day used."""

    key: str | None
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost: Decimal
    duration_us: int
