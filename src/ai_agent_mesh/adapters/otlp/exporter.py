"""A thread that sends recorded spans on, in batches, and never makes the recorder wait."""

import threading
import time
from collections import deque
from typing import Protocol

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from ai_agent_mesh.adapters.otlp.bounded import BoundedSession
from ai_agent_mesh.adapters.otlp.spans import translated
from ai_agent_mesh.plumbing.observe import get_logger
from ai_agent_mesh.product.telemetry import SpanRecord

_log = get_logger("otlp")
#: Spans that may wait for a receiver that is slow or away; further ones are dropped and counted.
MOST_WAITING = 10_000
_BATCH = 512
_PAUSE_S = 1.0
_TRY_S = 10.0


class Exported(Protocol):
    """Counts spans `sent`, `failed` or `dropped`."""

    def spans_exported(self, outcome: str, count: int = 1) -> None:
        """Count some."""
        ...


class OtlpExporter:
    """Give it to `telemetry.listen`; `close` sends what still waits and ends the thread."""

    def __init__(
        self,
        endpoint: str,
        counts: Exported,
        *,
        service: str = "mesh",
        version: str = "",
        most_waiting: int = MOST_WAITING,
        try_s: float = _TRY_S,
    ) -> None:
        """`endpoint` is a base address, as OTEL_EXPORTER_OTLP_ENDPOINT has it.

        A batch has `try_s` seconds to be taken, whatever the receiver does.
        """
        self._exporter = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces",
            timeout=try_s,
            session=BoundedSession(try_s),
        )
        self._resource = Resource.create({"service.name": service, "service.version": version})
        self._counts = counts
        self._waiting: deque[tuple[str, SpanRecord]] = deque()
        self._most = most_waiting
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp-exporter", daemon=True)
        self._thread.start()

    def __call__(self, tenant: str, span: SpanRecord) -> None:
        """Take a span to be sent, or drop it when too many wait; returns at once."""
        if len(self._waiting) >= self._most or self._closing.is_set():
            self._counts.spans_exported("dropped")
            return
        self._waiting.append((tenant, span))
        if len(self._waiting) >= _BATCH:
            self._wake.set()

    def close(self, patience_s: float = 5.0) -> None:
        """Send what waits, for at most `patience_s`, and end."""
        self._closing.set()
        self._wake.set()
        self._thread.join(patience_s)
        # Cuts short the tries at a receiver that does not answer.
        self._exporter.shutdown()  # type: ignore[no-untyped-call] # not typed there
        while self._waiting:
            try:
                self._waiting.popleft()
            except IndexError:  # the thread took the last one
                break
            self._counts.spans_exported("dropped")
        self._thread.join(1)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(_PAUSE_S)
            self._wake.clear()
            self._drain()
        self._drain()

    def _drain(self) -> None:
        while batch := self._taken():
            try:
                result = self._exporter.export(batch)
            except Exception as error:  # noqa: BLE001 - the thread outlives whatever a receiver does
                _log.warning("spans not exported", **{"error.type": type(error).__name__})
                result = SpanExportResult.FAILURE
            sent = result is SpanExportResult.SUCCESS
            self._counts.spans_exported("sent" if sent else "failed", len(batch))
            if not sent and not self._closing.is_set():
                time.sleep(_PAUSE_S)

    def _taken(self) -> list[ReadableSpan]:
        batch: list[ReadableSpan] = []
        while len(batch) < _BATCH:
            try:
                tenant, span = self._waiting.popleft()
            except IndexError:
                break
            try:
                batch.append(translated(tenant, span, self._resource))
            except ValueError:
                self._counts.spans_exported("dropped")
        return batch
