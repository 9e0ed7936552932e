"""Sends one signed message to a subscriber's address and says what came of it.

Source: Standard Webhooks specification (standardwebhooks.com), symmetric signatures, `v1`.
"""

from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from ai_agent_mesh.kernel.errors import Fact
from ai_agent_mesh.operations.notices import Message, Outcome
from ai_agent_mesh.plumbing.http.outbound import (
    AddressPolicy,
    AnswerTimedOut,
    AnswerUnreadable,
    ConnectionBroken,
    guarded_client,
)

#: After these nobody knows whether the receiver has the message.
_UNHEARD = (AnswerTimedOut, AnswerUnreadable, ConnectionBroken)
_GONE = 410
#: An answer's body is not read.
_BODY_BYTES = 1_000


class WebhookSender:
    """Signs and sends. A redirect is a failure: a message goes to the address that was given."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._client = guarded_client(policy, body_limit_bytes=_BODY_BYTES, redirects=0)

    async def send(self, url: str, secret: str, message: Message, *, deadline_s: float) -> Outcome:
        """Try once, within `deadline_s` seconds; `mesh-repeat` marks what may have come before."""
        at = datetime.now(UTC)  # receivers hold it against their own clock
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(message.id, at, message.body.decode()),
        }
        if message.repeated:
            headers["mesh-repeat"] = "possible"
        request = self._client.build_request(
            "POST", url, content=message.body, headers=headers, timeout=httpx.Timeout(deadline_s)
        )
        try:
            response = await self._client.send(request, stream=True)
            await response.aclose()
        except Fact as fact:
            return Outcome(fact.detail, doubtful=isinstance(fact, _UNHEARD))
        if response.is_success:
            return Outcome()
        status = response.status_code
        return Outcome(f"it answered {status}", gone=status == _GONE)

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()
