"""The trace and the request that the present work belongs to, and how they travel in a header.

Source: W3C Trace Context, section 3.2.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

_SHAPE = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a piece of work stands: its trace, its own span, and the span that caused it."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    sampled: bool = True
    request_id: str | None = None

    @classmethod
    def begin(cls, traceparent: str | None = None, request_id: str | None = None) -> "Trace":
        """Continue the trace of a `traceparent` header, or start one if it is absent or broken."""
        found = _SHAPE.fullmatch(traceparent.strip()) if traceparent else None
        if found is None or not _usable(found):
            return cls(os.urandom(16).hex(), new_span_id(), request_id=request_id)
        sampled = bool(int(found[4], 16) & 1)
        return cls(found[2], new_span_id(), found[3], sampled, request_id)

    def child(self) -> "Trace":
        """Return a new span of this trace, caused by this one."""
        return replace(self, span_id=new_span_id(), parent_id=self.span_id)

    @property
    def traceparent(self) -> str:
        """Return the header that makes the receiver's work a child of this span."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_now: ContextVar[Trace | None] = ContextVar("mesh_trace", default=None)


def current() -> Trace | None:
    """Return the trace that this task works in, or None outside of any."""
    return _now.get()


@contextmanager
def bound(trace: Trace) -> Iterator[Trace]:
    """Let everything inside belong to `trace`."""
    token = _now.set(trace)
    try:
        yield trace
    finally:
        _now.reset(token)


def new_span_id() -> str:
    """Return 8 random bytes in hex, the last bit set: all zeros are forbidden."""
    return f"{int.from_bytes(os.urandom(8), 'big') | 1:016x}"


def _usable(found: re.Match[str]) -> bool:
    """Version ff and all-zero ids are invalid; in version 00 nothing follows the flags."""
    if found[1] == "ff" or set(found[2]) == {"0"} or set(found[3]) == {"0"}:
        return False
    return not (found[1] == "00" and found[5])
