"""Alerting rules: each alert of the one definition as an expression over our own series and those
of the exporters that production has anyway (node, kube-state-metrics, blackbox)."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.adapters.prometheus.names import chosen, labels, number, seconds, window_name
from ai_agent_mesh.adapters.prometheus.recording import Entry, error_ratio, valid_requests
from ai_agent_mesh.operations.alerts import (
    RUNBOOKS,
    Availability,
    Burn,
    Event,
    Objective,
    Rule,
    Threshold,
    advice,
    objectives,
    rules,
    runbook,
)
from ai_agent_mesh.playbook import Condition, CrashLoop, Playbook, Sense, Signal
from ai_agent_mesh.sla import PERCENTILES, BurnWindow

_DAY = timedelta(days=1)
_SIGNS = {Sense.ABOVE: ">", Sense.BELOW: "<"}
#: Whose file systems fill up by themselves; the others are memory or read-only.
_DISKS = '{fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660"}'

#: The figures that are measured outside of our own request path: an expression each, in the unit
#: of the playbook's level (a share, or seconds).
FIGURES: dict[Signal, str] = {
    Signal.DATABASE_CONNECTIONS: (
        'max(mesh_postgres_connections{state="used"})'
        ' / max(mesh_postgres_connections{state="limit"})'
    ),
    Signal.DISK_USAGE: (
        'mesh_data_disk_bytes{state="used"} / ignoring(state) mesh_data_disk_bytes{state="size"}'
        f" or 1 - node_filesystem_avail_bytes{_DISKS} / node_filesystem_size_bytes{_DISKS}"
        " or kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes"
    ),
    Signal.MEMORY_USAGE: (
        'mesh_host_memory_bytes{state="used"}'
        ' / ignoring(state) mesh_host_memory_bytes{state="size"}'
        " or 1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
    ),
    Signal.CERTIFICATE_EXPIRY: "min by (instance) (probe_ssl_earliest_cert_expiry) - time()",
}


#: Templates of Prometheus's: the figure, and which of several things it is of.
_PERCENT = "{{ $value | humanizePercentage }}"
_WHERE = "".join(
    f"{{{{ with $labels.{label} }}}} {{{{ . }}}}{{{{ end }}}}"
    for label in ("instance", "mountpoint", "persistentvolumeclaim")
)
_PARTS = "".join(
    f"{{{{ with $labels.{label} }}}}, {label} {{{{ . }}}}{{{{ end }}}}"
    for label in ("process", "namespace", "pod", "container", "deployment", "cronjob")
)
#: What all processes tell alike is recorded of none of them.
_NAMED = f"{{{{ if $labels.instance }}}}Of {{{{ $labels.instance }}}}{_PARTS}. {{{{ end }}}}"
_BURNING = (
    '{{ range query "sort_desc(slo:current_burn_rate:ratio > 1)" }}'
    " {{ .Labels.sloth_slo }} {{ .Value | humanize }} times{{ end }}"
)


def alerts(playbook: Playbook, runbooks: str | None) -> list[Entry]:
    """Return every alert of the definition, in its order."""
    return [_alert(rule, playbook, runbooks) for rule in rules(playbook)]


def _alert(rule: Rule, playbook: Playbook, runbooks: str | None) -> Entry:
    own = labels(rule.watches.objective) if isinstance(rule.watches, Burn) else {}
    entry: Entry = {"alert": rule.name, "expr": _expression(rule, playbook)}
    if rule.lasting:
        entry["for"] = window_name(rule.lasting)
    entry["labels"] = {"severity": rule.urgency.value, "tells": rule.tells.value, **own}
    entry["annotations"] = _annotations(rule, runbooks)
    return entry


def _annotations(rule: Rule, runbooks: str | None) -> dict[str, str]:
    """Return what is read by whoever is paged: what happened, where, how bad, and what to do."""
    chapter, said = runbook(rule.name), advice(rule)
    told = {
        "summary": rule.summary,
        "description": f"{said.hurt} {_now(rule)}Look first: {said.look}",
        "runbook": f"{RUNBOOKS}#{chapter}",
    }
    return told | ({"runbook_url": f"{runbooks}#{chapter}"} if runbooks else {})


def _now(rule: Rule) -> str:
    """Return the figure that alarms, and what it is of, as a template of Prometheus's."""
    match rule.watches:
        case Burn():
            return f"Over the window that alarms {_PERCENT} is bad. Burning now:{_BURNING}. "
        case Threshold(signal=Signal.LATENCY_P99):
            return f"Longer than that now: {_PERCENT} of the calls. "
        case Threshold(condition=condition) if isinstance(condition.level, timedelta):
            return f"Now{_WHERE}: {{{{ $value | humanizeDuration }}}}. "
        case Threshold():
            return f"Now{_WHERE}: {_PERCENT}. "
        case Event():
            return _NAMED


def _expression(rule: Rule, playbook: Playbook) -> str:
    match rule.watches:
        case Burn(objective=objective, windows=windows):
            return " or ".join(_burn(objective, window, playbook) for window in windows)
        case Threshold(signal=Signal.API_ERROR_RATE, condition=condition):
            return _error_rate(condition, playbook)
        case Threshold(signal=Signal.LATENCY_P99, condition=condition):
            return _latency(condition, playbook)
        case Threshold(signal=signal, condition=condition):
            return f"({FIGURES[signal]}) {_beyond(condition)}"
        case Event(signal=signal):
            return _event(signal, playbook)


def _burn(objective: Objective, window: BurnWindow, playbook: Playbook) -> str:
    """Return bad shares above factor × budget over the window and its short end, and enough calls.

    The factor follows the month's length by itself: days_in_month() is that of the evaluation.
    """
    which, budget = chosen(objective), number(1 - objective.goal)
    a_day = window.budget * Fraction(_DAY // timedelta.resolution, 1)
    a_day /= window.length // timedelta.resolution
    limit = f"{budget} * scalar(clamp_min({number(a_day)} * days_in_month(), 1))"
    long, short = (
        f"{error_ratio(length, which)} > {limit}" for length in (window.length, window.short)
    )
    enough = valid_requests(playbook, window.short, which)
    return f"({long} and {short} and {enough} >= {playbook.alerting.min_requests})"


def _error_rate(condition: Condition, playbook: Playbook) -> str:
    over = playbook.alerting.rates_over
    (platform,) = (one for one in objectives(playbook) if one.indicator == Availability(None))
    which = chosen(platform)
    share = error_ratio(over, which)
    enough = valid_requests(playbook, over, which)
    return f"{share} {_beyond(condition)} and {enough} >= {playbook.alerting.min_requests}"


def _latency(condition: Condition, playbook: Playbook) -> str:
    """Return the share of calls beyond the level, against what the percentile leaves: exact at the
    edge of a bucket, where histogram_quantile would guess between two."""
    over = playbook.alerting.rates_over
    series, window = "mesh_request_latency_seconds", window_name(over)
    all_of_them = f"sum(rate({series}_count[{window}]))"
    edge = float(seconds(condition.level)) if isinstance(condition.level, timedelta) else 0.0
    within = f'sum(rate({series}_bucket{{le="{edge}"}}[{window}]))'
    share = f"1 - {within} / ({all_of_them} > 0)"
    left = number(1 - PERCENTILES["p99"])
    beyond = f"({share}) > {left}" if condition.sense is Sense.ABOVE else f"({share}) <= {left}"
    enough = f"{all_of_them} * {seconds(over)} >= {playbook.alerting.min_requests}"
    return f"{beyond} and {enough}"


def _beyond(condition: Condition) -> str:
    level = condition.level
    exact = number(level) if isinstance(level, Fraction) else seconds(level or timedelta(0))
    return f"{_SIGNS[condition.sense]} {exact}"


def _event(signal: Signal, playbook: Playbook) -> str:
    """Return what is there for as long as an event is shown."""
    shown = playbook.alerting.events_shown
    if signal is Signal.POD_CRASH_LOOP:
        return " or ".join(_crash_loop(playbook.alerting.crash_loop))
    told = f'time() - max(mesh_event_timestamp_seconds{{event="{signal}"}}) < {seconds(shown)}'
    return " or ".join([told, *_elsewhere(signal, window_name(shown), playbook)])


def _crash_loop(loop: CrashLoop) -> Iterator[str]:
    """Yield what shows that a process or container is started again and again.

    A supervisor that was itself started anew counts from 0, which is no restart: so it is the last
    count less the least, not the most.
    """
    within = window_name(loop.within)
    for series in ("mesh_process_restarts", "kube_pod_container_status_restarts_total"):
        since = f"last_over_time({series}[{within}]) - min_over_time({series}[{within}])"
        yield f"({since} >= {loop.restarts})"
    yield 'kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"} == 1'


def _elsewhere(signal: Signal, shown: str, playbook: Playbook) -> list[str]:
    """Return how an event shows in the series of Kubernetes."""
    match signal:
        case Signal.DEPLOYMENT_COMPLETED:
            ours = '{deployment=~"ai-agent-mesh.*"}'
            changed = f"changes(kube_deployment_status_observed_generation{ours}[{shown}]) > 0"
            rolled_out = "kube_deployment_status_replicas_updated == kube_deployment_spec_replicas"
            return [f"({changed} and on(namespace, deployment) {rolled_out})"]
        case Signal.AUTOSCALING_TRIGGERED:
            series = "kube_horizontalpodautoscaler_status_desired_replicas"
            return [f"changes({series}[{shown}]) > 0"]
        case Signal.BACKUP_COMPLETED:
            series = 'kube_cronjob_status_last_successful_time{cronjob=~".*backup.*"}'
            return [f"time() - {series} < {seconds(playbook.alerting.events_shown)}"]
        case _:
            return []
