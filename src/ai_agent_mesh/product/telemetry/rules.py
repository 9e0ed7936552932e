"""Which ranges may be asked for, how long their steps are, and which figures an empty step has."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.product.telemetry.model import Bucket, Slice, StoredSpan

LONGEST = timedelta(days=400)
MOST_BUCKETS = 1_500
_SHORTEST_STEP = timedelta(seconds=1)
#: Steps that a person reads easily; the first that gives at most 120 buckets is taken.
_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (1, 5, 15, 60, 300, 900, 3_600, 4 * 3_600, 86_400, 7 * 86_400)
)


class UnusableRange(Invalid):
    """The range cannot be answered."""


class MalformedPlace(Invalid):
    """The cursor is not one of this list."""


def checked(part: Slice, step: timedelta | None = None) -> timedelta:
    """Return the step to use for a slice: the one asked for, or one that fits.

    Raises:
        UnusableRange: with every fault of the range and the step at once.
    """
    faults = [*_range_faults(part)]
    if step is not None and step < _SHORTEST_STEP:
        faults.append(Fault("step_s", "must be 1 second or more"))
    elif step is not None and not faults and (part.until - part.since) / step > MOST_BUCKETS:
        least_s = math.ceil((part.until - part.since).total_seconds() / MOST_BUCKETS)
        reason = f"makes more than {MOST_BUCKETS} buckets; take {least_s} or more"
        faults.append(Fault("step_s", reason))
    if faults:
        raise UnusableRange(faults=faults)
    length = part.until - part.since
    return step or next((each for each in _STEPS if length / each <= 120), _STEPS[-1])


def _range_faults(part: Slice) -> Iterator[Fault]:
    for place, at in (("since", part.since), ("until", part.until)):
        if at.tzinfo is None:
            yield Fault(place, "must carry its offset from UTC, such as 2026-11-01T00:00:00Z")
            return
    if part.until <= part.since:
        yield Fault("until", "must be after since")
    elif part.until - part.since > LONGEST:
        yield Fault("since", f"the range must not be longer than {LONGEST.days} days")


def filled(part: Slice, step: timedelta, known: Sequence[Bucket]) -> list[Bucket]:
    """Return one bucket for each step of the range, with zeros where nothing happened."""
    by_start = {bucket.since: bucket for bucket in known}
    count = -(-(part.until - part.since) // step)
    starts = (part.since.astimezone(UTC) + step * index for index in range(count))
    return [by_start.get(start) or _nothing(start) for start in starts]


def _nothing(since: datetime) -> Bucket:
    return Bucket(
        since=since, count=0, errors=0, input_tokens=0, output_tokens=0, cost=Decimal(0),
        p50_us=None, p95_us=None, p99_us=None,
    )  # fmt: skip


def place_of(span: StoredSpan) -> str:
    """Return where a span stands in a list by time, as text."""
    return f"{span.started_at.astimezone(UTC).isoformat()} {span.id}"


def place_after(text: str) -> tuple[datetime, str]:
    """Read what `place_of` wrote.

    Raises:
        MalformedPlace: it is anything else.
    """
    moment, _, span_id = text.partition(" ")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not span_id:
        raise MalformedPlace(faults=[Fault("cursor", "must be a next_cursor of this list")])
    return at, span_id
