"""Arithmetic over spans of whole minutes: merging, taking away, counting."""

from collections.abc import Iterable
from itertools import islice

from ai_agent_mesh.kernel.spans import MINUTE, Span


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same minutes as spans in order that neither touch nor overlap."""
    done: list[Span] = []
    for span in sorted(span for span in spans if span.length):
        if done and span.since <= done[-1].until:
            done[-1] = Span(done[-1].since, max(done[-1].until, span.until))
        else:
            done.append(span)
    return tuple(done)


def without(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """Return what is left of the spans once the holes are taken out."""
    left: list[Span] = []
    gaps = merged(holes)
    at = 0
    for span in merged(spans):
        since = span.since
        while at < len(gaps) and gaps[at].until <= since:
            at += 1
        for gap in islice(gaps, at, None):
            if gap.since >= span.until:
                break
            if gap.since > since:
                left.append(Span(since, gap.since))
            since = gap.until
        if since < span.until:
            left.append(Span(since, span.until))
    return tuple(left)


def within(spans: Iterable[Span], bounds: Span) -> tuple[Span, ...]:
    """Return the parts that lie inside the bounds, merged."""
    return merged(part for span in spans if (part := span.overlap(bounds)))


def count(spans: Iterable[Span]) -> int:
    """Return how many whole minutes the spans have."""
    return sum(span.length // MINUTE for span in spans)
