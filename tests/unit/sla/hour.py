"""An hour of November that is made up, and what it is judged by."""

from datetime import UTC, datetime, timedelta

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.playbook import default
from ai_agent_mesh.sla import (
    Announcement,
    Denominator,
    Judgement,
    Method,
    MinuteCount,
    Service,
    Terms,
    availability,
    minute_number,
)

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


HOUR = Span(SINCE, SINCE + timedelta(hours=1))


FIRST = minute_number(SINCE)


NOTICE = default().maintenance.notice


BY_MINUTE = (Method.PERIOD, Method.ALL_FAIL)


def terms(
    method: Method = Method.PERIOD,
    denominator: Denominator = Denominator.REDUCED,
    consecutive: int = 1,
    min_requests: int = 1,
) -> Terms:
    rule = default().measurement.terms(method)
    return Terms(
        method, denominator, consecutive, min_requests,
        rule.error_threshold, rule.interval, rule.silent_bad,
    )  # fmt: skip


def api(place: int, valid: int, bad: int) -> MinuteCount:
    return MinuteCount(FIRST + place, Service.API, valid, bad)


def quiet(*places: int) -> dict[Service, list[range]]:
    return {Service.API: [range(FIRST + place, FIRST + place + 1) for place in places]}


def judge(counts: list[MinuteCount], rule: Terms, **more: object) -> Judgement:
    more = {"notice": NOTICE} | more
    return availability(counts, HOUR, rule, **more)  # type: ignore[arg-type] # test options


def work(since: int, until: int, ahead_h: int = 72, **more: object) -> Announcement:
    span = Span(SINCE + timedelta(minutes=since), SINCE + timedelta(minutes=until))
    told = span.since - timedelta(hours=ahead_h)
    return Announcement(told, span, **more)  # type: ignore[arg-type] # test options


def lost(judgement: Judgement) -> list[int]:
    return [minute - FIRST for minute in judgement.platform.unavailable]
