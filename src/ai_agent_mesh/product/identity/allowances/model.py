"""What is left of a tenant's allowance, and how an answer says so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """One request's standing; `limit` and `remaining` are None where the tier has no limit."""

    allowed: bool
    limit: int | None
    remaining: int | None
    #: Whole seconds until a request that counts now counts no more.
    reset_s: int
    #: The value of `RateLimit-Policy`, empty where there is no limit.
    policy: str

    @property
    def headers(self) -> dict[str, str]:
        """Return the answer's fields (draft-ietf-httpapi-ratelimit-headers-10; RFC 9110).

        >>> Allowance(False, 60, 0, 7, '"default";q=60;w=60').headers["Retry-After"]
        '7'
        """
        if self.limit is None:
            return {}
        fields = {
            "RateLimit": f'"default";r={self.remaining};t={self.reset_s}',
            "RateLimit-Policy": self.policy,
        }
        if not self.allowed:
            fields["Retry-After"] = str(self.reset_s)
        return fields


UNLIMITED = Allowance(allowed=True, limit=None, remaining=None, reset_s=0, policy="")
