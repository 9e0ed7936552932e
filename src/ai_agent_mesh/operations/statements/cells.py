"""How a figure stands on a line of text: cut off, never rounded, and in columns."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal


def laid_out(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield the rows of a table, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def clock(at: datetime) -> str:
    """Return a moment to its minute."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def met_text(met: bool | None) -> str:
    """Say whether a promise was kept; nothing of what could not be judged."""
    return "-" if met is None else "met" if met else "MISSED"


def cut(figure: str, digits: int = 3) -> str:
    """Cut a decimal figure to some decimals; the exact one stands in the JSON.

    >>> cut("43.2"), cut("0.99996"), cut("44640")
    ('43.2', '0.999', '44640')
    """
    whole, dot, decimals = figure.partition(".")
    return f"{whole}{dot}{decimals[:digits]}"


def share_text(share: str | None, digits: int = 3) -> str:
    """Cut a percentage to some decimals.

    >>> share_text("99.99996%"), share_text(None)
    ('99.999%', '-')
    """
    return "-" if share is None else f"{cut(share.removesuffix('%'), digits)}%"


def left_text(ratio: str) -> str:
    """Say what share is left; how far it is overspent stands in the minutes.

    >>> left_text("0.57"), left_text("0.999996"), left_text("1"), left_text("-0.000001")
    ('57% left', '99.999% left', '100% left', 'overspent')
    """
    # In decimals: as a double, 0.57 * 100 is 56.999999999999993.
    percent = f"{(Decimal(ratio) * 100).normalize():f}"
    return "overspent" if ratio.startswith("-") else f"{cut(percent)}% left"
