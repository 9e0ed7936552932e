"""Pure decisions about agents: what may be registered, tried again, called healthy, and charged."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.plumbing.http.outbound import (
    AnswerTimedOut,
    ConnectionBroken,
    UpstreamFailed,
)
from ai_agent_mesh.product.agents.facts import AgentBusy, AgentInvalid, InvocationInvalid
from ai_agent_mesh.product.agents.model import (
    Credential,
    Draft,
    Health,
    HealthState,
    Invocation,
    Kind,
    Price,
    Reply,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LABEL_KEY = re.compile(r"[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?")
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")  # RFC 9110, a header's name
VISIBLE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
CURRENCY = re.compile(r"[A-Z]{3}")
KEY = re.compile(r"[\x21-\x7e]{1,200}")

# Headers that say how a message travels; a credential in one of them would break the call.
OURS = frozenset(
    {"connection", "content-length", "content-type", "host", "idempotency-key", "traceparent"}
    | {"te", "trailer", "transfer-encoding", "upgrade", "accept-encoding", "a2a-version", "expect"}
)
LABELS = 32
PROMPT_CHARACTERS = 32_000
CREDENTIAL_CHARACTERS = 8_000
LONGEST_S = 300.0
USUAL_S = 30.0

CHECK_EVERY = timedelta(minutes=1)
CHECK_S = 5.0
FAILURES_UNTIL_UNHEALTHY = 3

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0


def check_draft(draft: Draft) -> None:
    """Let a draft pass; AgentInvalid names every mistake with its place."""
    faults = [
        *_identity_faults(draft),
        *_url_faults(draft.url),
        *_label_faults(draft.labels),
        *_calling_faults(draft),
        *_credential_faults(draft.credential),
        *_price_faults(draft.price),
    ]
    if faults:
        raise AgentInvalid(faults=faults)


def check_invocation(invocation: Invocation) -> None:
    """Let an invocation pass; InvocationInvalid names every mistake."""
    faults = list(_timeout_faults(invocation.timeout_s))
    if invocation.idempotency_key is not None and not KEY.fullmatch(invocation.idempotency_key):
        faults.append(Fault("/idempotency_key", "must be 1 to 200 visible ASCII characters"))
    if faults:
        raise InvocationInvalid(faults=faults)


def name_from(text: str) -> str:
    """Make a name of what a card calls its agent.

    >>> name_from("Invoice clerk (EU)")
    'invoice-clerk-eu'
    """
    name = re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")
    return name[:64].rstrip("-.") or "agent"


def may_repeat(failure: UpstreamFailed, *, idempotent: bool) -> bool:
    """Tell whether a call may be made again after this failure.

    Nothing was sent, or the agent said that it is not its time: safe, because our idempotency key
    travels with every try. After a broken or silent connection nobody knows whether the agent
    acted, so that is repeated only for an agent that its owner calls idempotent.
    """
    if not failure.sent or isinstance(failure, AgentBusy):
        return True
    return idempotent and isinstance(failure, ConnectionBroken | AnswerTimedOut)


def wait_s(tries: int, asked_s: float | None = None) -> float:
    """Return the seconds to wait after so many tries: doubling, or what the agent asked for.

    >>> [wait_s(1), wait_s(2), wait_s(9), wait_s(1, 2.0), wait_s(1, 3600.0)]
    [0.2, 0.4, 5.0, 2.0, 5.0]
    """
    own = FIRST_WAIT_S * 2.0 ** (tries - 1)
    return float(min(max(own, asked_s or 0.0), LONGEST_WAIT_S))


def health_after(before: Health, error: str | None) -> tuple[HealthState, int]:
    """Return the state and the failures in a row after a check.

    One success is enough to be healthy; a single failure changes no state, three in a row do.
    """
    if error is None:
        return HealthState.HEALTHY, 0
    failures = before.consecutive_failures + 1
    ill = failures >= FAILURES_UNTIL_UNHEALTHY
    return HealthState.UNHEALTHY if ill else before.state, failures


def cost_of(price: Price | None, reply: Reply) -> Decimal | None:
    """Return what a reply cost, exactly; None when no price or no count is known.

    >>> cost_of(Price(input_per_1k=Decimal("0.5"), output_per_1k=Decimal("1.5")),
    ...         Reply(output="", text="", input_tokens=1000, output_tokens=200))
    Decimal('0.8')
    """
    if price is None or reply.input_tokens is None or reply.output_tokens is None:
        return None
    whole = price.input_per_1k * reply.input_tokens + price.output_per_1k * reply.output_tokens
    return whole / 1000


def merged_labels(old: Mapping[str, str], new: Mapping[str, str | None]) -> dict[str, str]:
    """Lay a merge patch over labels.

    >>> merged_labels({"a": "1", "b": "2"}, {"a": None, "c": "3"})
    {'b': '2', 'c': '3'}
    """
    both: dict[str, str | None] = {**old, **new}
    return {key: value for key, value in both.items() if value is not None}


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port, by which a credential may travel."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").rstrip("."), port


def _identity_faults(draft: Draft) -> Iterator[Fault]:
    if draft.name is None:
        if draft.kind is not Kind.A2A:
            yield Fault("/name", "is required (only an agent card can supply one)")
    elif not NAME.fullmatch(draft.name) or draft.name.startswith("agt_"):
        reason = "must be 1 to 64 letters, digits, dots, hyphens or underscores, not agt_ first"
        yield Fault("/name", reason)
    if draft.description is not None and _unfit(draft.description, 2_000):
        yield Fault("/description", "must be at most 2000 characters")


def _url_faults(url: str) -> Iterator[Fault]:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        parts, fits = urlsplit(""), None
    if not fits or _unfit(url, 2_000) or not url.isprintable() or " " in url:
        yield Fault("/url", "must be an http or https address")
    if parts.username is not None or parts.password is not None:
        yield Fault("/url", "must not hold a user or password; send them as credential")


def _label_faults(labels: Mapping[str, str]) -> Iterator[Fault]:
    if len(labels) > LABELS:
        yield Fault("/labels", f"must be at most {LABELS}")
    for key, value in labels.items():
        place = f"/labels/{key[:64].replace('~', '~0').replace('/', '~1')}"
        if not LABEL_KEY.fullmatch(key):
            reason = "its name must be 1 to 63 lower-case letters, digits, dots, hyphens or slashes"
            yield Fault(place, reason)
        if _unfit(value, 128) or "\n" in value:
            yield Fault(place, "must be at most 128 characters on one line")


def _calling_faults(draft: Draft) -> Iterator[Fault]:
    if draft.kind is Kind.OPENAI and not draft.model:
        yield Fault("/model", "is required for an openai agent")
    for place, value in (("model", draft.model), ("system_prompt", draft.system_prompt)):
        if value is not None and draft.kind is not Kind.OPENAI:
            yield Fault(f"/{place}", "belongs to openai agents only")
    if draft.model is not None and _unfit(draft.model, 200):
        yield Fault("/model", "must be at most 200 characters")
    if draft.system_prompt is not None and _unfit(draft.system_prompt, PROMPT_CHARACTERS):
        yield Fault("/system_prompt", f"must be at most {PROMPT_CHARACTERS} characters")
    yield from _timeout_faults(draft.timeout_s)


def _timeout_faults(timeout_s: float | None) -> Iterator[Fault]:
    if timeout_s is not None and not 0.05 <= timeout_s <= LONGEST_S:
        yield Fault("/timeout_s", f"must be from 0.05 to {LONGEST_S:g} seconds")


def _credential_faults(credential: Credential | None) -> Iterator[Fault]:
    if credential is None:
        return
    if not TOKEN.fullmatch(credential.header) or credential.header.lower() in OURS:
        yield Fault("/credential/header", "must be the name of a header that carries a credential")
    if credential.scheme is not None and not TOKEN.fullmatch(credential.scheme):
        yield Fault("/credential/scheme", "must be one word, such as Bearer, or null")
    long = len(credential.value) > CREDENTIAL_CHARACTERS
    if long or not VISIBLE.fullmatch(credential.value):
        yield Fault("/credential/value", "must be visible ASCII characters on one line")


def _price_faults(price: Price | None) -> Iterator[Fault]:
    if price is None:
        return
    for place in ("input_per_1k", "output_per_1k"):
        amount: Decimal = getattr(price, place)
        if not amount.is_finite() or not 0 <= amount <= 1_000_000 or _places(amount) > 12:
            yield Fault(f"/price/{place}", "must be from 0 to 1000000, with at most 12 decimals")
    if not CURRENCY.fullmatch(price.currency):
        yield Fault("/price/currency", "must be three capital letters, such as USD")


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _unfit(text: str, most: int) -> bool:
    """Too long, or holds what PostgreSQL cannot keep."""
    return len(text) > most or "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text)
