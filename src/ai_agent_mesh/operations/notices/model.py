"""What a subscription, a notice and the try to deliver one to the other are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

#: What a notice tells, as JSON.
Data = Mapping[str, Any]  # each publisher's own


class Topic(StrEnum):
    """What can be subscribed to."""

    MAINTENANCE = "maintenance"


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subscription as somebody wants it."""

    url: str
    topics: list[Topic]


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is told of some topics; its secret stays sealed in the store."""

    id: str
    url: str
    topics: tuple[Topic, ...]
    created_at: datetime
    created_by: str


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """A new subscription, and the secret that is shown this once."""

    subscription: Subscription
    secret: str

    def __repr__(self) -> str:
        return f"Subscribed({self.subscription.id}, ...)"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened and that subscribers of its topic are told."""

    id: str
    topic: Topic
    #: Such as `maintenance.announced`.
    type: str
    at: datetime
    #: The id of what it is about.
    object: str
    data: Data


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that one subscription has to be told now."""

    tenant_id: str
    subscription_id: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class Try:
    """A claimed try: the number of it, and how many of those before may have arrived unheard."""

    number: int
    repeats: int
    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the same id and bytes at every try. `repeated`: it may have come before."""

    id: str
    body: bytes
    repeated: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended. `reason` None means that the receiver took it."""

    reason: str | None = None
    #: Whether the receiver has it is not known.
    doubtful: bool = False
    #: The receiver wants it never again.
    gone: bool = False
