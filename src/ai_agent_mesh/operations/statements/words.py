"""How each method is told to a customer who wants to compute the figures again."""

from ai_agent_mesh.sla import Denominator, Method, Terms, percent_text

_CALLS = (
    "The calls are the tenant's own and the probe's. A call is valid unless the caller asked for "
    "what cannot be had or was over their allowance; it is bad when it failed by the platform's "
    "fault."
)
_UNION = (
    "The platform is unavailable in every minute in which any service is. Availability is "
    "1 - unavailable / counted minutes."
)


def in_words(terms: Terms) -> str:
    """Say how availability is computed."""
    below = {
        Denominator.REDUCED: "Excluded minutes are not counted.",
        Denominator.FULL: "Excluded minutes are counted, and nothing in them is lost.",
    }[terms.denominator]
    return f"{_METHODS[terms.method](terms)} {_CALLS} {below}"


def _period(terms: Terms) -> str:
    run = "" if terms.consecutive == 1 else f" for {terms.consecutive} minutes in a row or longer"
    least = "1 valid call" if terms.min_requests == 1 else f"{terms.min_requests} valid calls"
    share = percent_text(terms.error_threshold)
    return _by_minutes(
        f"it has at least {least} and more than {share} of them failed by the platform's fault{run}"
    )


def _all_fail(_: Terms) -> str:
    return _by_minutes("it has valid calls and all of them failed by the platform's fault")


def _by_minutes(failed: str) -> str:
    return (
        f"By minutes. A minute of a service is unavailable when {failed}, or when the probe that "
        f"watches the service left no entry in it. {_UNION}"
    )


def _intervals(terms: Terms) -> str:
    return (
        f"By intervals of {terms.interval} minutes. An interval of a service is worth the share of "
        "its valid calls that are not bad; one without valid calls is whole. "
        f"{_silence(terms)} For the platform the worst service of each interval counts. "
        "Availability is the mean over all intervals."
    )


def _requests(terms: Terms) -> str:
    return (
        "By requests. Availability is the share of the valid calls that are not bad, all services "
        f"pooled. {_silence(terms)}"
    )


def _silence(terms: Terms) -> str:
    return (
        "A minute in which the probe that watches a service left no entry counts as "
        f"{terms.silent_bad} bad calls more."
    )


_METHODS = {
    Method.PERIOD: _period,
    Method.ALL_FAIL: _all_fail,
    Method.INTERVALS: _intervals,
    Method.REQUESTS: _requests,
}
