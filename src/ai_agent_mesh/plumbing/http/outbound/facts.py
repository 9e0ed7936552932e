"""What can be wrong with a call to the outside, each in one line that its owner can act on."""

from typing import ClassVar

from ai_agent_mesh.kernel.errors import Denied, Unavailable


class AddressRefused(Denied):
    """The host {host} has the address {address}, {reason}, which the operator does not allow."""


class SchemeRefused(Denied):
    """Only http and https are called, not {scheme}."""


class UrlUnusable(Denied):
    """The address is not one that can be called: {reason}."""


class OutboundBusy(Unavailable):
    """Too many outside calls are under way; try again shortly."""


class UpstreamFailed(Unavailable):
    """The service that was called did not answer as it should."""

    upstream: ClassVar[bool] = True
    #: Bytes of the request may have reached it: whether it acted is not known.
    sent: ClassVar[bool] = True


class NameUnknown(UpstreamFailed):
    """The name {host} does not resolve: {reason}."""

    sent = False


class Unreachable(UpstreamFailed):
    """No connection to {host} on port {port}: {reason}."""

    sent = False


class ConnectionBroken(UpstreamFailed):
    """The connection to {host} broke before its answer was complete: {reason}."""


class AnswerTimedOut(UpstreamFailed):
    """{host} did not finish its answer within {seconds} s."""


class AnswerTooLarge(UpstreamFailed):
    """The answer of {host} is longer than {limit_bytes} bytes."""


class AnswerUnreadable(UpstreamFailed):
    """The answer of {host} cannot be read: {reason}."""


class RedirectRefused(UpstreamFailed):
    """{host} redirects to where no call goes: {reason}"""


class TooManyRedirects(UpstreamFailed):
    """{host} redirected more than {limit} times."""
