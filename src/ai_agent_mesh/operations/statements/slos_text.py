"""The objectives of a month as tables for a terminal that is 80 characters wide."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal
from textwrap import wrap

from ai_agent_mesh.operations.statements.cells import cut, laid_out, met_text, share_text
from ai_agent_mesh.operations.statements.slos import Burning, Slo

_WIDTH = 78
_NOTHING = "Nothing to judge yet: no whole minute of this month has passed."
_SECOND_MS = 1_000


def slos_as_text(items: Sequence[Slo]) -> str:
    """Return each objective: what was promised and reached, the budget left, how fast it burns.

    What is `seen` is the percentile itself, from sketches; `reached` is the exact share.
    """
    available = [one for one in items if one.kind == "availability"]
    latency = [one for one in items if one.kind == "latency"]
    judged = any(one.attainment for one in available)
    lines = [] if judged else [_NOTHING, ""]
    lines += ["AVAILABILITY", *laid_out(list(_available(available, judged=judged)))]
    lines += [*_allowed(available), ""]
    lines += ["LATENCY (the share of calls under the threshold, and the percentile itself)"]
    lines += laid_out(list(_timed(latency)))
    if windows := [one.window for one in items[0].burn] if items else []:
        lines += ["", "BURN RATE BY WINDOW (!: above what alarms)"]
        lines += [*laid_out(list(_burning(items, windows))), "", *_meaning(windows[-1])]
    return "\n".join(lines) + "\n"


def _available(items: Sequence[Slo], *, judged: bool) -> Iterator[tuple[str, ...]]:
    yield "", "promised", "reached", "left", "burn", "at the end", ""
    for one in items:
        ends = one.ahead.projected_remaining_ratio if one.ahead else None
        left = _left(one) if judged else "-"
        yield (
            one.service or "", one.objective, share_text(one.attainment), left, _burn(one),
            "-" if ends is None else _percent(ends), met_text(one.met),
        )  # fmt: skip


def _timed(items: Sequence[Slo]) -> Iterator[tuple[str, ...]]:
    yield "", "", "promised", "seen", "reached", "left", "burn", ""
    before = None
    for one in items:
        category = one.category or ""
        yield (
            "" if category == before else category, one.percentile or "",
            f"< {one.threshold_ms:g} ms", _seen(one.percentile_ms), share_text(one.attainment, 2),
            _left(one) if one.counted else "-", _burn(one),
            met_text(one.met) if one.counted else "no calls",
        )  # fmt: skip
        before = category


def _seen(percentile_ms: float | None) -> str:
    if percentile_ms is None:
        return "-"
    if percentile_ms >= _SECOND_MS:
        return f"~{percentile_ms / _SECOND_MS:.3g} s"
    return f"~{percentile_ms:.3g} ms"


def _left(one: Slo) -> str:
    """Return what is left of the month's budget; before anything burned, of that so far."""
    return _percent(one.ahead.month_remaining_ratio if one.ahead else one.budget_remaining_ratio)


def _percent(ratio: str) -> str:
    """Return a share as a percentage that never flatters: to a tenth, below zero in whole ones.

    >>> _percent("0.99996"), _percent("1"), _percent("-0.001"), _percent("-30.4")
    ('99.9%', '100%', '-1%', '-3040%')
    """
    percent = Decimal(ratio) * 100
    steps = Decimal("0.1") if percent >= 0 else Decimal(1)
    shown = percent.quantize(steps, ROUND_FLOOR)
    return f"{shown.normalize() if shown != shown.to_integral() else shown.to_integral():f}%"


def _burn(one: Slo) -> str:
    """Return the rate over the longest window; above 1 the budget does not last."""
    return _rate(one.burn[-1].rate if one.burn else None)


def _rate(rate: str | None) -> str:
    return "-" if rate is None else cut(rate, 2)


def _allowed(items: Sequence[Slo]) -> Iterator[str]:
    """Say once how much may be lost: all availability is judged by one promise."""
    for one in items[:1]:
        if one.allowed_this_month and one.allowed_in_a_year:
            monthly, yearly = cut(one.allowed_this_month), cut(one.allowed_in_a_year)
            yield f"  {one.objective} lets {monthly} minutes be lost this month, {yearly} in a year"


def _burning(items: Sequence[Slo], windows: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the rates over each window; some objectives no traffic could burn as fast as alarms."""
    yield "", *(f"last {window}" for window in windows)
    yield "alarms above", *(cut(one.alarms_above or "-", 2) for one in items[0].burn)
    for one in items:
        name = one.service or f"{one.category} {one.percentile}"
        yield name, *(f"{_rate(each.rate)}{' !' * _alarms(each)}" for each in one.burn)


def _alarms(one: Burning) -> bool:
    if one.rate is None or one.alarms_above is None:
        return False
    return one.rate == "infinite" or Decimal(one.rate) > Decimal(one.alarms_above)


def _meaning(window: str) -> Iterator[str]:
    """Say what the columns mean."""
    yield from wrap(
        f"left: of the month's error budget. burn: how fast it went over the last {window}; at 1 "
        "it lasts just as long as the month. at the end: what will be left if the rest of the "
        "month burns like that.",
        _WIDTH,
    )
