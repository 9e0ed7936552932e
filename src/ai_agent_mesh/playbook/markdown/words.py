"""How values are said in a document for people: durations in words, tables, lists."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.kernel.money import Money
from ai_agent_mesh.playbook.units import BYTES, MONEY, NUMBER, RESPONSE, Condition, Sense
from ai_agent_mesh.playbook.units.moments import write_duration
from ai_agent_mesh.sla import BestEffort, BusinessDays, Response, percent_text

_NAMES = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
_NOTHING = "—"
_SHORT = {"api": "API", "crud": "CRUD"}


def spell(length: timedelta) -> str:
    """Return a duration in words, milliseconds and below in their sign.

    >>> spell(timedelta(minutes=15)), spell(timedelta(hours=1)), spell(timedelta(milliseconds=5))
    ('15 minutes', '1 hour', '5 ms')
    """
    text = write_duration(length)
    number, unit = text.rstrip("abcdefghijklmnopqrstuvwxyz"), text.lstrip("0123456789")
    if unit not in _NAMES:
        return f"{number} {unit}"
    return f"{number} {_NAMES[unit]}{'' if number == '1' else 's'}"


def each(length: timedelta) -> str:
    """Return how often something comes round.

    >>> each(timedelta(weeks=1)), each(timedelta(days=1)), each(timedelta(minutes=30))
    ('every week', 'every day', 'every 30 minutes')
    """
    if length == timedelta(days=1):
        return "every day"
    return f"every {spell(length).removeprefix('1 ')}"


def promised(response: Response) -> str:
    """Return when an answer is promised, in words."""
    match response:
        case timedelta():
            return spell(response)
        case BusinessDays() | BestEffort():
            return str(RESPONSE.write(response))


def downtime(minutes: Fraction) -> str:
    """Return an allowance in days, hours, minutes and seconds, exact to a thousandth.

    >>> downtime(Fraction("43.2")), downtime(Fraction("2628")), downtime(Fraction("4.32"))
    ('43m 12s', '1d 19h 48m', '4m 19.2s')
    """
    left, parts = minutes * 60, []
    for name, seconds in (("d", 86_400), ("h", 3_600), ("m", 60)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{name}")
    if left:
        parts.append(f"{float(round(left, 3)):g}s")
    return " ".join(parts) or "none"


def condition(value: Condition) -> str:
    """Return a condition in words."""
    if value.level is None:
        return "whenever it happens"
    level = percent_text(value.level) if isinstance(value.level, Fraction) else spell(value.level)
    sign = "more than" if value.sense is Sense.ABOVE else "less than"
    of = f"{value.of} " if value.of else ""
    lasting = f" for {spell(value.lasting)}" if value.lasting else ""
    return f"{of}{sign} {level}{lasting}"


def money(value: Money) -> str:
    """Return an amount with its currency."""
    return str(MONEY.write(value))


def size(value: int) -> str:
    """Return a number of bytes in the largest whole unit."""
    return str(BYTES.write(value))


def number(value: Fraction) -> str:
    """Return a plain number, shortened with K, M or B where that is exact."""
    return str(NUMBER.write(value))


def title(token: str) -> str:
    """Return a token as a heading.

    >>> title("database_connections"), title("api_error_rate"), title("latency_p99")
    ('Database connections', 'API error rate', 'Latency p99')
    """
    words = [_SHORT.get(word, word) for word in token.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def listed(words: Iterable[str]) -> str:
    """Return words with commas, and "and" before the last.

    >>> listed(["a", "b", "c"]), listed([])
    ('a, b and c', '—')
    """
    several = list(words)
    if len(several) > 1:
        return f"{', '.join(several[:-1])} and {several[-1]}"
    return several[0] if several else _NOTHING


def bullets(lines: Iterable[str]) -> str:
    """Return a Markdown list."""
    return "\n".join(f"- {line}" for line in lines) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [_line(heads), _line(["---"] * len(heads)), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def yes(flag: bool) -> str:
    """Return a flag as a word."""
    return "yes" if flag else "no"
