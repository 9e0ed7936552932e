"""Pure decisions about runs: what may follow which state, and when an attempt is repeated."""

from hashlib import sha256

from ai_agent_mesh.product.orchestration.definition.model import Retry

#: A run's life. Only these moves are made; `resume` leads back from an end.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    "pending": ("running", "cancelled"),
    "running": ("waiting", "completed", "faulted", "cancelled"),
    "waiting": ("pending", "running", "cancelled"),
    "completed": (),
    "faulted": ("pending",),
    "cancelled": ("pending",),
}
CANCELLABLE = tuple(state for state, after in TRANSITIONS.items() if "cancelled" in after)
RESUMABLE = ("faulted", "cancelled")
ENDED = ("completed", "faulted", "cancelled")

#: Within one segment; a definition that only turns in circles ends here, with an error.
MOST_EXECUTIONS = 20_000
#: A pause up to this long is waited for in the process; a longer one leaves it.
SHORT_WAIT_S = 2.0
#: The most that a run's input, and what one task gives, may measure as JSON.
MOST_INPUT_BYTES = 1_000_000


def delay_s(retry: Retry, attempt: int, key: str) -> float:
    """Return the pause after the `attempt`th failed attempt, jitter included.

    The jitter comes from the key, so that a replay waits for the same moment.

    >>> [delay_s(Retry(delay_s=2, backoff=b), 3, "") for b in ("constant", "linear", "exponential")]
    [2.0, 6.0, 8.0]
    """
    factor = {"constant": 1.0, "linear": attempt, "exponential": 2.0 ** min(attempt - 1, 30)}
    low, high = retry.jitter_s
    share = int.from_bytes(sha256(f"{key}{attempt}".encode()).digest()[:4]) / 2**32
    jitter = low + (high - low) * share
    return min(retry.delay_s * factor[retry.backoff], 30 * 86_400) + jitter


def may_retry(retry: Retry, attempt: int, elapsed_s: float) -> bool:
    """Tell whether another attempt may follow the `attempt`th; count and duration are limits.

    >>> [may_retry(Retry(most=3), n, 0) for n in (2, 3)]
    [True, False]
    >>> may_retry(Retry(longest_s=10), 2, 11)
    False
    """
    within_count = retry.most is None or attempt < retry.most
    return within_count and (retry.longest_s is None or elapsed_s <= retry.longest_s)
