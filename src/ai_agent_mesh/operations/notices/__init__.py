"""Notices to tenants: what they subscribe to, and its delivery, at least once and on the record."""

from ai_agent_mesh.operations.notices.delivery import Deliveries
from ai_agent_mesh.operations.notices.facts import (
    SubscriptionInvalid,
    SubscriptionMissing,
    SubscriptionsFull,
)
from ai_agent_mesh.operations.notices.model import (
    Draft,
    Due,
    Message,
    Notice,
    Outcome,
    Subscribed,
    Subscription,
    Topic,
)
from ai_agent_mesh.operations.notices.ports import Sender
from ai_agent_mesh.operations.notices.service import Subscriptions
from ai_agent_mesh.operations.notices.store import publish, undelivered

__all__ = [
    "Deliveries",
    "Draft",
    "Due",
    "Message",
    "Notice",
    "Outcome",
    "Sender",
    "Subscribed",
    "Subscription",
    "SubscriptionInvalid",
    "SubscriptionMissing",
    "Subscriptions",
    "SubscriptionsFull",
    "Topic",
    "publish",
    "undelivered",
]
