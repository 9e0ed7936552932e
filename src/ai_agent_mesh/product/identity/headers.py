"""What an answer's fields say of the caller's allowance and of the key's age."""

from datetime import datetime

from ai_agent_mesh.product.identity.allowances import Allowance
from ai_agent_mesh.product.identity.model import Principal
from ai_agent_mesh.product.identity.rules import KeyTerms, warning

Fields = list[tuple[bytes, bytes]]


def rate_headers(allowance: Allowance) -> Fields:
    """Return `RateLimit`, `RateLimit-Policy` and, on a refusal, `Retry-After`."""
    return [(name.lower().encode(), value.encode()) for name, value in allowance.headers.items()]


def key_headers(principal: Principal, now: datetime, terms: KeyTerms) -> Fields:
    """Return `Mesh-Key-Expires` (RFC 3339) while the playbook warns of the key's end."""
    ends = principal.key_expires_at
    if ends is None or warning(ends, now, terms) is None:
        return []
    return [(b"mesh-key-expires", ends.strftime("%Y-%m-%dT%H:%M:%SZ").encode())]
