"""Shares, money, sizes and counts."""

import re
from decimal import Decimal
from fractions import Fraction

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.playbook.units.unit import Unit, Unreadable
from ai_agent_mesh.sla import percent_text

_NUMBER = r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?"
_SIZES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BINARY = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_MULTIPLES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP"}


def _match(pattern: str, text: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text)
    if found is None:
        raise ValueError
    return found


def _scaled(number: str, scale: int) -> int:
    exact = Fraction(number) * scale
    if exact.denominator != 1:
        raise Unreadable("is not a whole number")
    return int(exact)


def read_share(text: str) -> Fraction:
    """Return `99.99%` as a share of one."""
    share = Fraction(_match(rf"({_NUMBER})\s?%", text)[1]) / 100
    if share > 1:
        raise Unreadable("is more than 100%")
    return share


def _read_money(text: str) -> Money:
    if found := re.fullmatch(rf"([$€£])\s?({_NUMBER})", text):
        return Money(Decimal(found[2]), _CURRENCIES[found[1]])
    found = _match(rf"({_NUMBER}) ([A-Z]{{3}})", text)
    return Money(Decimal(found[1]), found[2])


def _write_money(money: Money) -> str:
    amount = f"{money.amount:f}"
    sign = next((sign for sign, code in _CURRENCIES.items() if code == money.currency), None)
    return f"{sign}{amount}" if sign else f"{amount} {money.currency}"


def _read_bytes(text: str) -> int:
    sizes = _SIZES | _BINARY
    found = _match(rf"({_NUMBER})\s?({'|'.join(sizes)})", text)
    return _scaled(found[1], sizes[found[2]])


def _write_bytes(size: int) -> str:
    return _write_scaled(size, {"TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1})


def _write_scaled(value: int, scales: dict[str, int]) -> str:
    for name, scale in scales.items():
        if value and value % scale == 0:
            return f"{value // scale}{name}"
    return f"{value}{list(scales)[-1]}"


def _read_count(text: str) -> int:
    found = _match(rf"({_NUMBER})([KMB]?)", text)
    return _scaled(found[1], _MULTIPLES[found[2]])


def _read_whole(text: str) -> int:
    return int(_match(r"0|[1-9][0-9]{0,14}", text)[0])


def _read_positive(text: str) -> int:
    if (whole := _read_whole(text)) == 0:
        raise Unreadable("is zero")
    return whole


def _read_limit(text: str) -> int | None:
    return None if text == "unlimited" else _read_positive(text)


def _write_limit(limit: int | None) -> str | int:
    return "unlimited" if limit is None else limit


def _read_number(text: str) -> Fraction:
    found = _match(rf"({_NUMBER})([KMB]?)", text)
    return Fraction(found[1]) * _MULTIPLES[found[2]]


def _write_number(number: Fraction) -> str:
    if number.denominator == 1 and number >= _MULTIPLES["K"]:
        return _write_scaled(int(number), {"B": 10**9, "M": 10**6, "K": 10**3, "": 1})
    return f"{float(number):g}"


SHARE = Unit[Fraction]("a percentage such as 99.9%", read_share, percent_text)
MONEY = Unit[Money]("an amount such as $500 or 500 CHF", _read_money, _write_money)
BYTES = Unit[int]("a size such as 10MB or 1TB", _read_bytes, _write_bytes)
WHOLE = Unit[int]("a whole number such as 3", _read_whole, int)
COUNT = Unit[int]("a count such as 20 or 5K", _read_count, int)
NUMBER = Unit[Fraction]("a number such as 20, 0.5 or 10M", _read_number, _write_number)
LIMIT = Unit[int | None]("a whole number above 0, or unlimited", _read_limit, _write_limit)
POSITIVE = Unit[int]("a whole number above 0", _read_positive, int)
