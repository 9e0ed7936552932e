"""What can go wrong with subscriptions."""

from ai_agent_mesh.kernel.errors import Conflict, Invalid, NotFound


class SubscriptionInvalid(Invalid):
    """This subscription cannot be kept as it is."""


class SubscriptionMissing(NotFound):
    """There is no subscription {subscription}."""


class SubscriptionsFull(Conflict):
    """A tenant has at most {most} subscriptions."""
