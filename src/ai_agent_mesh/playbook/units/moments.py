"""Durations, business days, years, dates and weekly windows."""

import re
from datetime import date, time, timedelta

from ai_agent_mesh.playbook.units.unit import Unit, Unreadable
from ai_agent_mesh.sla import BestEffort, BusinessDays, Response, Weekday, WeeklyWindow, Years

_UNITS = {
    "us": timedelta(microseconds=1), "ms": timedelta(milliseconds=1), "s": timedelta(seconds=1),
    "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}  # fmt: skip
_PART = re.compile(r"([1-9][0-9]{0,17}|0)(us|ms|s|m|h|d|w)")
#: Up to here whole days are written in hours: `72h` says more to somebody with a watch than `3d`.
_HOURS_UP_TO = timedelta(hours=72)
_NOTHING = timedelta(0)


def read_duration(text: str) -> timedelta:
    """Return `15m` or `1h30m` as a duration above zero."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        raise ValueError
    try:
        length = sum((int(number) * _UNITS[unit] for number, unit in parts), _NOTHING)
    except OverflowError:
        raise Unreadable("is longer than time goes") from None
    if length == _NOTHING:
        raise Unreadable("is zero")
    return length


def write_duration(length: timedelta) -> str:
    """Return a duration in the largest unit that needs no fraction.

    >>> write_duration(timedelta(hours=72)), write_duration(timedelta(days=30))
    ('72h', '30d')
    >>> write_duration(timedelta(seconds=900)), write_duration(timedelta(weeks=2))
    ('15m', '2w')
    """
    for name in ("w", "d", "h", "m", "s", "ms"):
        if name == "d" and length <= _HOURS_UP_TO:
            continue
        if length % _UNITS[name] == _NOTHING:
            return f"{length // _UNITS[name]}{name}"
    return f"{length // _UNITS['us']}us"


def _read_recovery(text: str) -> timedelta:
    return _NOTHING if text == "immediate" else read_duration(text)


def _write_recovery(length: timedelta) -> str:
    return write_duration(length) if length else "immediate"


def _read_response(text: str) -> Response:
    if text == BestEffort.BEST_EFFORT.value:
        return BestEffort.BEST_EFFORT
    if found := re.fullmatch(r"([1-9][0-9]{0,2}) business days?", text):
        return BusinessDays(int(found[1]))
    return read_duration(text)


def _write_response(promised: Response) -> str:
    match promised:
        case BusinessDays(days):
            return f"{days} business day{'s' if days > 1 else ''}"
        case timedelta():
            return write_duration(promised)
        case BestEffort():
            return promised.value


def _read_years(text: str) -> Years:
    found = re.fullmatch(r"([1-9][0-9]?) years?", text)
    if found is None:
        raise ValueError
    return Years(int(found[1]))


def _write_years(period: Years) -> str:
    return f"{period.years} year{'s' if period.years > 1 else ''}"


def _read_window(text: str) -> WeeklyWindow:
    found = re.fullmatch(r"([A-Z][a-z]+day)s (\d\d:\d\d)-(\d\d:\d\d) UTC", text)
    if found is None or found[1].upper() not in Weekday.__members__:
        raise ValueError
    opens, closes = _clock(found[2]), time() if found[3] == "24:00" else _clock(found[3])
    if closes != time() and closes <= opens:
        raise Unreadable("closes no later than it opens")
    return WeeklyWindow(Weekday[found[1].upper()], opens, closes)


def _clock(text: str) -> time:
    hours, minutes = map(int, text.split(":"))
    if hours > 23 or minutes > 59:
        raise Unreadable(f"has no such time of day as {text}")
    return time(hours, minutes)


def _write_window(window: WeeklyWindow) -> str:
    closes = "24:00" if window.closes == time() else f"{window.closes:%H:%M}"
    return f"{window.weekday.name.capitalize()}s {window.opens:%H:%M}-{closes} UTC"


def _read_date(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return date.fromisoformat(text)


DURATION = Unit[timedelta]("a duration such as 150ms, 15m, 4h or 30d", read_duration, write_duration)  # noqa: E501  # fmt: skip
RECOVERY = Unit[timedelta]("a duration such as 15m, or immediate", _read_recovery, _write_recovery)
RESPONSE = Unit[Response]("a duration such as 4h, business days such as 1 business day, or best effort", _read_response, _write_response)  # noqa: E501  # fmt: skip
YEARS = Unit[Years]("years such as 7 years", _read_years, _write_years)
WINDOW = Unit[WeeklyWindow]("a weekly window such as Sundays 02:00-06:00 UTC", _read_window, _write_window)  # noqa: E501  # fmt: skip
DATE = Unit[date]("a date such as 2025-10-30", _read_date, date.isoformat)
