"""When the probe tries, and with what."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: The workflow whose runs show that workers work: one task without any outside effect.
WORKFLOW = "probe"
DEFINITION = {
    "document": {"dsl": "1.0.0", "namespace": "mesh", "name": WORKFLOW, "version": "1.0.0"},
    "do": [{"answer": {"set": {"alive": True}}}],
}

#: A question to governance; which answer it gets does not matter.
QUESTION = {
    "action": "startRun",
    "resource": {"type": "Workflow", "name": WORKFLOW},
}


def next_try(now: datetime, interval: timedelta, *, place: int = 0, places: int = 1) -> datetime:
    """Return the next moment to try: whole intervals since 1970, so that each minute gets as many.

    Of several `places` each has its own share of the interval: tries that came together would
    measure each other.

    >>> now = datetime(2026, 11, 1, 12, 0, 31, tzinfo=UTC)
    >>> next_try(now, timedelta(seconds=15)).time().isoformat()
    '12:00:45'
    >>> next_try(now, timedelta(seconds=15), place=1, places=4).time().isoformat()
    '12:00:33.750000'
    """
    first = EPOCH + interval * place / places
    return first + ((now - first) // interval + 1) * interval
