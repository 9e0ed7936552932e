"""What may be subscribed to, when a delivery is tried again, and what is written of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.operations.notices.facts import SubscriptionInvalid
from ai_agent_mesh.operations.notices.model import Draft, Due, Notice, Outcome, Try
from ai_agent_mesh.product.ledger import Entry, Kind

MOST = 10
URL_CHARACTERS = 2_000
REASON_CHARACTERS = 300
TRY_S = 10.0

#: How long after each try the next one is due: the schedule that the Standard Webhooks
#: specification suggests, its first wait long enough that no try overtakes the one before.
WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
TRIES = len(WAITS) + 1


def check_draft(draft: Draft) -> None:
    """Let a draft pass; SubscriptionInvalid names every mistake with its place."""
    faults = list(_faults(draft))
    if faults:
        raise SubscriptionInvalid(faults=faults)


def _faults(draft: Draft) -> Iterator[Fault]:
    try:
        parts = urlsplit(draft.url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        parts, fits = urlsplit(""), None
    if not fits or not draft.url.isprintable() or " " in draft.url:
        yield Fault("/url", "must be an http or https address")
    elif len(draft.url) > URL_CHARACTERS:
        yield Fault("/url", f"must have at most {URL_CHARACTERS} characters")
    if parts.username is not None or parts.password is not None:
        yield Fault("/url", "must not hold a user or password")
    if not draft.topics:
        yield Fault("/topics", "must name a topic")


def due_after(number: int, now: datetime) -> datetime:
    """Return when the try after so many is due; after the last one, when its claim has lapsed.

    >>> from datetime import UTC
    >>> due_after(2, datetime(2026, 11, 1, tzinfo=UTC)).isoformat()
    '2026-11-01T00:05:00+00:00'
    """
    return now + (WAITS[number - 1] if number < TRIES else WAITS[0])


def settles(number: int, outcome: Outcome) -> bool:
    """Tell whether there is no further try after this one."""
    return outcome.reason is None or outcome.gone or number >= TRIES


def body_of(notice: Notice) -> bytes:
    """Return what a subscriber is sent: the same bytes at every try."""
    said = {"type": notice.type, "timestamp": notice.at, "data": dict(notice.data)}
    return msgspec.json.encode(said)


def entry_of(due: Due, tried: Try, outcome: Outcome, at: datetime, playbook: str) -> Entry:
    """Return the ledger entry that says how a delivery ended."""
    detail = {
        "notice": "failed" if outcome.reason else "delivered",
        "topic": due.notice.topic.value,
        "type": due.notice.type,
        "about": due.notice.object,
        "subscription": due.subscription_id,
        "host": urlsplit(tried.url).hostname or "",
        "attempts": str(min(tried.number, TRIES)),
        "doubtful_repeats": str(tried.repeats),
    }
    if outcome.reason:
        detail["reason"] = outcome.reason
    return Entry(
        id=new_id("ent"),
        kind=Kind.NOTICE,
        tenant=due.tenant_id,
        at=at,
        object=due.notice.id,
        playbook=playbook,
        detail=detail,
    )
