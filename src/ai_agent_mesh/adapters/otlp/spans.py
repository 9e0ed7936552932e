"""Recorded spans as OpenTelemetry's own, with the GenAI names that a tracing tool expects."""

from datetime import datetime

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from ai_agent_mesh.product.telemetry import Kind, SpanRecord, names

_SCOPE = InstrumentationScope("ai_agent_mesh")
# A call leaves the process; everything else happens inside.
_KINDS = {Kind.AGENT_CALL: SpanKind.CLIENT}
_OPERATIONS = {Kind.AGENT_CALL: names.INVOKE_AGENT, Kind.RUN: names.INVOKE_WORKFLOW}


def translated(tenant: str, span: SpanRecord, resource: Resource) -> ReadableSpan:
    """Return a recorded span as OpenTelemetry's exporter takes it."""
    began = _nanoseconds(span.started_at)
    failed = span.error_type is not None
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=resource,
        attributes=_attributes(tenant, span),
        kind=_KINDS.get(span.kind, SpanKind.INTERNAL),
        status=Status(StatusCode.ERROR, span.error_type) if failed else Status(StatusCode.UNSET),
        start_time=began,
        end_time=began + span.duration_us * 1000,
        instrumentation_scope=_SCOPE,
    )


def _attributes(tenant: str, span: SpanRecord) -> dict[str, AttributeValue]:
    known: dict[str, AttributeValue | None] = {
        names.TENANT_ID: tenant,
        names.KIND: span.kind.value,
        names.OPERATION_NAME: _OPERATIONS.get(span.kind),
        names.AGENT_ID: span.agent_id,
        names.WORKFLOW_NAME: span.workflow,
        names.RUN_ID: span.run_id,
        names.ERROR_TYPE: span.error_type,
        names.INPUT_TOKENS: span.input_tokens or None,
        names.OUTPUT_TOKENS: span.output_tokens or None,
        # Money is exact; OpenTelemetry has no exact number, so it travels as text.
        names.COST: None if span.cost is None else str(span.cost),
    }
    # What the recorder said itself wins.
    return {key: value for key, value in (known | span.attributes).items() if value is not None}


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(1)
    )


def _nanoseconds(at: datetime) -> int:
    whole = int(at.timestamp())  # float seconds are too coarse for the fraction
    return whole * 1_000_000_000 + at.microsecond * 1000
