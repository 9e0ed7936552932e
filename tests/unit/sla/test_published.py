"""Agreements that others have published, computed by the same methods, each with its source.

What each asks for is told here in our own words; the months are made up, the rules are theirs.
"""

from fractions import Fraction

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.sla import (
    CreditStep,
    Denominator,
    Method,
    MinuteCount,
    Service,
    Terms,
    availability,
    credit_percent,
    minute_number,
)

SEPTEMBER = Month(2026, 9)
FIRST = minute_number(SEPTEMBER.since)


def terms(method: Method, *, min_requests: int = 1, error_threshold: str = "0.05") -> Terms:
    """Return the terms of an agreement that counts nothing but requests."""
    return Terms(
        method=method,
        denominator=Denominator.REDUCED,
        consecutive=1,
        min_requests=min_requests,
        error_threshold=Fraction(error_threshold),
        interval=5,
        silent_bad=0,
    )


def ladder(*steps: tuple[str, str, str]) -> list[CreditStep]:
    """Return a ladder from (below, at least, credit)."""
    return [CreditStep(*map(Fraction, step)) for step in steps]


def judged(counts: list[tuple[int, int, int]], terms: Terms) -> Fraction:
    """Judge a month of one service from (minute of the month, requests, errors)."""
    minutes = [MinuteCount(FIRST + m, Service.API, valid, bad) for m, valid, bad in counts]
    return availability(minutes, SEPTEMBER.span, terms).services[Service.API].availability


# Amazon S3 Service Level Agreement (28 November 2023, aws.amazon.com/s3/sla): 100% less the mean of
# the error rates of each five-minute interval, one without requests having none; for S3 Standard
# credits of 10% below 99.9%, 25% below 99.0% and 100% below 95.0%.
S3 = ladder(("0.999", "0.99", "0.1"), ("0.99", "0.95", "0.25"), ("0.95", "0", "1"))


def test_amazon_s3_averages_the_error_rates_of_five_minutes() -> None:
    """Nine intervals of 8,640 with nothing but errors are 0.104%: just below 99.9%."""
    hour = [(minute, 100, 100) for minute in range(45)]
    reached = judged(hour, terms(Method.INTERVALS))
    assert reached == 1 - Fraction(9, 8_640)
    assert credit_percent(reached, S3) == Fraction(10, 100)


def test_amazon_s3_weighs_a_busy_interval_like_a_quiet_one() -> None:
    """One error of two in a quiet interval costs as much as a million of two in a busy one."""
    quiet, busy = [(0, 2, 1)], [(0, 2_000_000, 1_000_000)]
    assert judged(quiet, terms(Method.INTERVALS)) == judged(busy, terms(Method.INTERVALS))
    assert credit_percent(judged(busy, terms(Method.INTERVALS)), S3) == 0


# Google Cloud Functions SLA (9 January 2020, cloud.google.com/functions/sla-20200109): a minute is
# down when more than 10% of at least 100 executions fail; 99.5% of the minutes are promised, with
# credits of 10% below that, 25% below 99% and 50% below 95%.
FUNCTIONS = ladder(("0.995", "0.99", "0.1"), ("0.99", "0.95", "0.25"), ("0.95", "0", "0.5"))
FUNCTION_TERMS = terms(Method.PERIOD, min_requests=100, error_threshold="0.1")


def test_google_cloud_functions_counts_minutes_above_a_tenth_of_errors() -> None:
    """216 minutes are 0.5% of September: the promise is just kept, and broken by one more."""
    kept = [(minute, 100, 11) for minute in range(216)]
    assert judged(kept, FUNCTION_TERMS) == Fraction("0.995")
    assert credit_percent(judged(kept, FUNCTION_TERMS), FUNCTIONS) == 0
    broken = [*kept, (216, 100, 11)]
    assert credit_percent(judged(broken, FUNCTION_TERMS), FUNCTIONS) == Fraction(10, 100)


def test_google_cloud_functions_passes_over_a_tenth_and_over_few_executions() -> None:
    passed_over = [(0, 100, 10), (1, 99, 99)]
    assert judged(passed_over, FUNCTION_TERMS) == 1


# Amazon Compute SLA, region level (5 May 2022, aws.amazon.com/compute/sla/historical): credits of
# 10% below 99.99%, 30% below 99.0% and 100% below 95.0%, of the minutes that were not lost.
COMPUTE = ladder(("0.9999", "0.99", "0.1"), ("0.99", "0.95", "0.3"), ("0.95", "0", "1"))


def test_amazon_compute_pays_from_the_fifth_minute_of_a_month_on() -> None:
    """99.99% of September's 43,200 minutes leave 4.32: four may be lost, five may not."""
    for lost, due in ((4, 0), (5, Fraction(10, 100)), (433, Fraction(30, 100)), (2_161, 1)):
        reached = judged([(m, 10, 10) for m in range(lost)], terms(Method.ALL_FAIL))
        assert credit_percent(reached, COMPUTE) == due, lost
