"""The page itself: every objective with its figures and drawings, as a part or a whole file."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.objectives.console.budget import BudgetDrawing, budget_drawing
from ai_agent_mesh.operations.objectives.console.burn import (
    BurnDrawing,
    Meter,
    burn_drawing,
    meters,
)
from ai_agent_mesh.operations.objectives.console.latency import Scale
from ai_agent_mesh.operations.objectives.console.words import (
    milliseconds,
    minutes,
    moment,
    rate,
    share,
)
from ai_agent_mesh.operations.objectives.standing import Standing
from ai_agent_mesh.operations.objectives.templates import templates
from ai_agent_mesh.operations.statements import BurnDay, Burndown, Slo, share_text

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = "ai_agent_mesh.operations.objectives"
SLOS_STYLE = (files(_PACKAGE) / "document" / "slos.css").read_text()
_HASH = base64.b64encode(sha256(SLOS_STYLE.encode()).digest()).decode()
#: Nothing from elsewhere, no script, and of our own only this very style.
SLOS_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
#: A page from disk is told the same in a `meta`, which knows nothing of frames.
_CARRIED = SLOS_POLICY.replace("; frame-ancestors 'none'", "")

_NAMES = {"platform": "Platform", "api": "API"}


@cache
def _templates() -> "Environment":
    """Return the templates, with how figures are put in them."""
    found = templates()
    found.filters.update(
        short=lambda text: "–" if text is None else share_text(text, 4),
        minutes=minutes,
        milliseconds=milliseconds,
    )
    return found


@dataclass(frozen=True, slots=True)
class Shown:
    """One objective as the page shows it."""

    key: str
    name: str
    slo: Slo
    left: str
    #: What will be left at the month's end: if nothing more fails, and if it burns on.
    ends: tuple[str, str]
    meters: Sequence[Meter]


@dataclass(frozen=True, slots=True)
class Available:
    """An objective of availability: what is drawn of it, and the same day by day in figures."""

    shown: Shown
    minutes_left: str
    budget: BudgetDrawing
    burn: BurnDrawing
    days: Sequence[tuple[str, str, str, str, str]]


def slos_page(standing: Standing) -> str:
    """Return the page as one file that needs nothing else."""
    return (
        _templates()
        .get_template("slos-page.html")
        .render(
            title=_title(standing),
            fragment=slos_fragment(standing),
            policy=_CARRIED,
            style=Markup(SLOS_STYLE),  # noqa: S704 - our own file
        )
        .lstrip()
    )


def slos_fragment(standing: Standing, *, public: bool = False) -> Markup:
    """Return the page's content; what is `public` tells no number of calls, nor percentiles, which
    are kept by tenant."""
    stated = standing.statement
    month = Span(stated.asked_since, stated.asked_until)
    available = [_available(one, standing, month) for one in standing.burndowns]
    latency = [_shown(slo) for slo in standing.items if slo.kind == "latency"]
    html = (
        _templates()
        .get_template("slos.html")
        .render(
            one=stated,
            title=_title(standing),
            moment=moment,
            share=share_text,
            public=public,
            windows=[meter.window for meter in available[0].shown.meters],
            available=available,
            categories=_by_category(latency),
            scale=Scale.over([shown.slo for shown in latency]),
            judged=stated.since < stated.until,
            elapsed=_elapsed(month, stated.until - stated.asked_since),
        )
    )
    return Markup(html)  # noqa: S704 - rendered with autoescape


def _title(standing: Standing) -> str:
    return f"Objectives of {standing.statement.asked_since:%B %Y}"


def _elapsed(month: Span, gone: timedelta) -> str:
    return f"day {gone // timedelta(days=1) + 1} of {month.length // timedelta(days=1)}"


def _shown(slo: Slo, left: Fraction | None = None) -> Shown:
    """Return an objective; `left` is what is left now where more is known than its projection."""
    name, ahead = slo.service or slo.percentile or "", slo.ahead
    if ahead is not None:
        left = Fraction(ahead.month_remaining_ratio)
    still = "–" if left is None else share(left)
    going = "–" if ahead is None else share(Fraction(ahead.projected_remaining_ratio))
    return Shown(
        key="-".join(filter(None, (slo.kind, slo.service, slo.category, slo.percentile))),
        name=_NAMES.get(name, name.capitalize()),
        slo=slo,
        left=still,
        ends=(still, going),
        meters=meters(slo),
    )


def _available(one: Burndown, standing: Standing, month: Span) -> Available:
    allowed = Fraction(one.slo.allowed_by_the_end or 0)
    return Available(
        shown=_shown(one.slo, one.points[-1][1] if one.points else None),
        minutes_left=minutes(allowed - Fraction(one.slo.missed)),
        budget=budget_drawing(one, standing.works, month),
        burn=burn_drawing(one, month),
        days=list(_days(one, allowed)),
    )


def _days(one: Burndown, allowed: Fraction) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the rows of the table below: what the drawings show, in figures."""
    before = Fraction(1)
    for day in one.days:
        yield (
            f"{day.span.since:%Y-%m-%d}",
            minutes((before - day.left) * allowed),
            share(day.left),
            rate(day.burn),
            _calls(day),
        )
        before = day.left


def _calls(day: BurnDay) -> str:
    return f"{day.requests.bad:,} of {day.requests.valid:,}"


def _by_category(shown: Sequence[Shown]) -> Sequence[tuple[str, Sequence[Shown]]]:
    names = dict.fromkeys(one.slo.category for one in shown if one.slo.category)
    return [
        (
            (name or "").replace("_", " ").capitalize().replace("crud", "CRUD"),
            [one for one in shown if one.slo.category == name],
        )
        for name in names
    ]
