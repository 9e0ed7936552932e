"""Recording rules: what each objective's requests were, by window, weighted by their number.

Two series an objective hold the rates of valid and of bad requests; every window is the sum of the
one divided by the sum of the other, so a quiet hour weighs less than a busy one. A mean of ratios
would not do that.

A minute in which the probe of a watched service did nothing counts as the bad requests that it
would have made, as in the ledger: a platform that is away serves no request that could fail.

What lies in announced maintenance is recorded apart, under its id, and left out as long as it
stands. When it is called off, also what has passed of it is judged from then on, as in statements.
"""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.adapters.prometheus.names import (
    SAME,
    labels,
    number,
    seconds,
    window_name,
)
from ai_agent_mesh.operations.alerts import TOLD_FOR, Availability, Objective, objectives
from ai_agent_mesh.playbook import Playbook, Urgency
from ai_agent_mesh.sla import percent_text

Entry = dict[str, object]

MINUTE = timedelta(minutes=1)
#: The rolling window that dashboards made for Sloth expect beside the calendar month.
ROLLING = timedelta(days=30)
#: What is carried on from one evaluation to the next survives a Prometheus that was away so long.
REMEMBERED = "1d"
_STANDING = "mesh:maintenance_standing:bool"
_ACTIVE = "mesh:maintenance_active:bool"


def windows(playbook: Playbook) -> tuple[timedelta, ...]:
    """Return the windows that error ratios are recorded over, shortest first."""
    burning = [w for urgency in Urgency for w in playbook.alerting.burn.of(urgency)]
    both = {length for window in burning for length in (window.length, window.short)}
    return tuple(sorted({playbook.alerting.rates_over, ROLLING, *both}))


def maintenance() -> Iterator[Entry]:
    """Yield the rules that tell which maintenance stands, and which is on, service by service.

    It is carried on while nobody tells of it: planned work takes the API away, too. Of processes
    that differ, the one that knows of a cancellation is right, so the earlier end counts.
    """
    since, until = "mesh:maintenance_since:timestamp", "mesh:maintenance_until:timestamp"
    for record, gone in (
        (until, f"> time() - {seconds(TOLD_FOR)}"),
        (since, f"and {until}"),
    ):
        told = record.replace(":", "_") + "_seconds"
        kept = f"min by (maintenance, service) ({told}) or last_over_time({record}[{REMEMBERED}])"
        yield {"record": record, "expr": f"({kept}) {gone}"}
    yield {"record": _STANDING, "expr": f"({until} > bool {since}) == 1"}
    # The middle of the minute that is looked at decides, so neither edge is favoured.
    middle = f"(time() - {seconds(MINUTE / 2)})"
    on = f"{until} > {middle} and {since} <= {middle}"
    # They do not overlap, but a rule over two that processes tell differently would fail.
    yield {"record": _ACTIVE, "expr": f"0 * topk by (service) (1, {on}) + 1"}


def silence() -> Iterator[Entry]:
    """Yield the rules that tell, service by service, whether the probe was heard this minute."""
    heard = "sum by (service) (increase(mesh_probe_requests_total[1m])) > 0"
    watched, unheard = "mesh:probe_watched:bool", "mesh:probe_unheard:bool"
    yield {
        "record": watched,
        "expr": f"0 * ({heard}) + 1 or last_over_time({watched}[{REMEMBERED}])",
    }
    yield {
        "record": unheard,
        "expr": f"{watched} - on(service) (0 * ({heard}) + 1 or 0 * {watched})",
    }
    yield {
        "record": "mesh:probe_silent:bool",
        "expr": (
            f"{unheard} + on(service) group_left(maintenance) 0 * {_ACTIVE}"
            f" or on(service) {unheard}"
        ),
    }


def base(playbook: Playbook) -> Iterator[Entry]:
    """Yield, for each objective, the rates of its valid and of its bad requests."""
    for objective in objectives(playbook):
        valid, bad = _rates(objective, playbook)
        for name, expression in ((_valid(playbook), valid), (_bad(playbook), bad)):
            yield {"record": name, "expr": expression, "labels": labels(objective)}


def ratios(playbook: Playbook) -> Iterator[Entry]:
    """Yield the error ratio over each window, of all objectives at once."""
    for window in windows(playbook):
        name = window_name(window)
        yield {
            "record": f"slo:sli_error:ratio_rate{name}",
            "expr": ratio(playbook, window),
            "labels": {"sloth_window": name},
        }


def ratio(playbook: Playbook, window: timedelta) -> str:
    """Return the expression of bad by valid requests over a window."""
    bad, valid = (
        _judged(_over(name, playbook, window)) for name in (_bad(playbook), _valid(playbook))
    )
    return f"{bad} / {SAME} ({valid} > 0)"


def _over(name: str, playbook: Playbook, window: timedelta) -> str:
    """Return the sum of what was recorded in a window; of the shortest one, what was last."""
    shortest = window == playbook.alerting.rates_over
    return name if shortest else f"sum_over_time({name}[{window_name(window)}])"


def _judged(recorded: str, *, without: str = "maintenance") -> str:
    """Return requests of an objective without those of maintenance that stands."""
    return f"sum without ({without}) ({recorded} unless on(maintenance) {_STANDING})"


def months(playbook: Playbook) -> Iterator[Entry]:
    """Yield the same rates labelled with their month.

    A range in PromQL cannot begin with the month, but in the last 31 days only the running month
    bears its name, so the sum of what bears it is the sum since the month began.
    """
    for name in (_valid(playbook), _bad(playbook)):
        yield {
            "record": f"{name}_by_month",
            "expr": f'{name} * on() group_left(month) count_values("month", month())',
        }


def metadata(playbook: Playbook, version: str) -> Iterator[Entry]:
    """Yield each objective and its budget, and how fast and how far the budget is spent."""
    for objective in objectives(playbook):
        own = labels(objective)
        goal = {"sloth_objective": percent_text(objective.goal).removesuffix("%")}
        told = {"sloth_mode": "cli-gen-mesh", "sloth_spec": "playbook", "sloth_version": version}
        yield _constant("slo:objective:ratio", objective.goal, own)
        yield _constant("slo:error_budget:ratio", 1 - objective.goal, own)
        yield _constant("sloth_slo_info", Fraction(1), own | told | goal)
    yield {
        "record": "slo:time_period:days",
        "expr": "0 * slo:error_budget:ratio + on() group_left() days_in_month()",
    }
    now = error_ratio(playbook.alerting.rates_over, "")
    yield {
        "record": "slo:current_burn_rate:ratio",
        "expr": f"{now} / {SAME} slo:error_budget:ratio",
    }
    yield {
        "record": "slo:period_burn_rate:ratio",
        "expr": f"{_this_month(playbook)} / {SAME} slo:error_budget:ratio",
    }
    yield {
        "record": "slo:period_error_budget_remaining:ratio",
        "expr": "1 - slo:period_burn_rate:ratio",
    }


def _this_month(playbook: Playbook) -> str:
    now = 'and on(month) count_values("month", month())'
    bad, valid = (
        _judged(f"sum_over_time({name}_by_month[31d]) {now}", without="month, maintenance")
        for name in (_bad(playbook), _valid(playbook))
    )
    return f"({bad} / {SAME} ({valid} > 0))"


def _constant(name: str, value: Fraction, own: dict[str, str]) -> Entry:
    return {"record": name, "expr": f"vector({number(value)})", "labels": own}


def _valid(playbook: Playbook) -> str:
    return f"mesh:slo_valid:rate{window_name(playbook.alerting.rates_over)}"


def _bad(playbook: Playbook) -> str:
    return f"mesh:slo_bad:rate{window_name(playbook.alerting.rates_over)}"


def error_ratio(window: timedelta, chosen: str) -> str:
    """Return the recorded error ratio of an objective over a window, without the window's label."""
    return f"max without (sloth_window) (slo:sli_error:ratio_rate{window_name(window)}{chosen})"


def valid_requests(playbook: Playbook, window: timedelta, chosen: str) -> str:
    """Return the expression of how many valid requests a window of an objective holds."""
    shortest = window == playbook.alerting.rates_over
    each = window if shortest else playbook.alerting.evaluated_every
    return f"{_judged(_over(f'{_valid(playbook)}{chosen}', playbook, window))} * {seconds(each)}"


def _rates(objective: Objective, playbook: Playbook) -> tuple[str, str]:
    """Return the expressions of valid and bad requests a second, 0 where nothing was counted."""
    name = window_name(playbook.alerting.rates_over)
    one = objective.indicator
    if isinstance(one, Availability):
        which = f'{{service="{one.service}"}}' if one.service else ""
        silent = _silent(which, playbook)
        valid, bad = (
            f"sum by (maintenance) (rate(mesh_sli_{kind}_total{which}[{name}])"
            f" or rate(mesh_sli_excluded_{kind}_total{which}[{name}]) or {silent}) or vector(0)"
            for kind in ("valid", "bad")
        )
        return valid, bad
    timed = f'mesh_sli_timed_total{{category="{one.category}"}}'
    within = f'mesh_sli_within_total{{category="{one.category}", percentile="{one.percentile}"}}'
    timed, within = (f"(sum(rate({each}[{name}])) or vector(0))" for each in (timed, within))
    return timed, f"clamp_min({timed} - {within}, 0)"


def _silent(which: str, playbook: Playbook) -> str:
    """Return the bad requests a second that the probe's silence stands for."""
    every, over = playbook.alerting.evaluated_every, playbook.alerting.rates_over
    each = Fraction(every // timedelta.resolution, over // timedelta.resolution) / Fraction(
        playbook.measurement.probe.interval // timedelta.resolution, 10**6
    )
    return f"{number(each)} * sum_over_time(mesh:probe_silent:bool{which}[{window_name(over)}])"
