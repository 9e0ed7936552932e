"""Laws of section 1 and 2: percentiles, ladders, severities, measurement and keys."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from ai_agent_mesh.playbook.laws.law import Broken, Law, WideLaw, law
from ai_agent_mesh.playbook.schema.incidents import Incidents, Stage
from ai_agent_mesh.playbook.schema.kinds import Severity
from ai_agent_mesh.playbook.schema.promises import (
    ApiKeys,
    Credit,
    Latency,
    Measurement,
    Probe,
)
from ai_agent_mesh.playbook.units.moments import write_duration
from ai_agent_mesh.sla import Service, TierName, percent_text

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


def _rising(lower_name: str, upper_name: str) -> Law:
    @law(Latency, lower_name, upper_name)
    def check(lower: timedelta, upper: timedelta) -> Broken:
        if upper < lower:
            least = write_duration(lower)
            yield upper_name, f"is below {lower_name}; expected at least {least}"

    return check


@law(Credit, "below", "at_least")
def _step_has_width(below: Fraction, at_least: Fraction) -> Broken:
    if at_least >= below:
        yield "at_least", f"is not under `below`; expected less than {percent_text(below)}"


@law("tiers.*.credits")
def _ladder_has_no_gap(ladder: tuple[Credit, ...]) -> Broken:
    if not ladder:
        yield "", "has no steps; expected some, or none in place of the list"
        return
    for index, (upper, lower) in enumerate(pairwise(ladder), 1):
        foot, head = percent_text(upper.at_least), percent_text(lower.below)
        if lower.below < upper.at_least:
            yield f"{index}", f"leaves a gap from {head} to {foot}; expected below: {foot}"
        elif lower.below > upper.at_least:
            yield (
                f"{index}",
                f"overlaps the step above from {foot} to {head}; expected below: {foot}",
            )
        if lower.credit <= upper.credit:
            more = percent_text(upper.credit)
            yield f"{index}", f"pays no more than the step above; expected more than {more}"
    if ladder[-1].at_least != 0:
        foot = percent_text(ladder[-1].at_least)
        yield f"{len(ladder) - 1}", f"leaves a gap from 0% to {foot}; expected at_least: 0%"


def _ladder_starts_at_the_promise(scalars: Mapping[str, object]) -> Broken:
    for name in TierName:
        uptime = scalars.get(f"tiers.{name}.uptime")
        key = f"tiers.{name}.credits.0.below"
        if isinstance(uptime, Fraction) and scalars.get(key, uptime) != uptime:
            yield key, f"is not where uptime ends; expected {percent_text(uptime)}"


def _severities_descend(scalars: Mapping[str, object]) -> Broken:
    for worse, milder in pairwise(Severity):
        for clock in ("respond_within", "resolve_within", "update_every"):
            quick, slow = (scalars.get(f"severities.{each}.{clock}") for each in (worse, milder))
            if isinstance(quick, timedelta) and isinstance(slow, timedelta) and slow < quick:
                reason = f"is shorter than for {worse}; expected at least {write_duration(quick)}"
                yield f"severities.{milder}.{clock}", reason


@law(Measurement, "services")
def _services_are_all_there_are(services: tuple[Service, ...]) -> Broken:
    # Figures judge every service; an agreement that named fewer would not be what is judged.
    if sorted(services) != sorted(Service):
        yield "services", f"must name each service once; expected {', '.join(Service)}"


@law(Measurement, "interval")
def _interval_fits_the_hour(interval: timedelta) -> Broken:
    if interval % _MINUTE or _HOUR % interval:
        yield "interval", "does not fit an hour; expected whole minutes such as 5m"


@law(Probe, "interval")
def _probe_fits_the_minute(interval: timedelta) -> Broken:
    if _MINUTE % interval:
        yield "interval", "does not fit a minute; expected a duration such as 15s"


@law(ApiKeys, "rotation", "warn_before")
def _warned_in_time(rotation: timedelta, warnings: tuple[timedelta, ...]) -> Broken:
    if any(before >= rotation for before in warnings):
        yield (
            "warn_before",
            f"warns before the key exists; expected under {write_duration(rotation)}",
        )


@law(Incidents, "lifecycle")
def _incidents_end(lifecycle: tuple[Stage, ...]) -> Broken:
    if len(set(lifecycle)) < len(lifecycle) or Stage.RESOLUTION not in lifecycle[1:]:
        yield "lifecycle", "must name each stage once, and resolution after another"


LAWS: tuple[Law, ...] = (
    _rising("p50", "p95"),
    _rising("p95", "p99"),
    _step_has_width,
    _ladder_has_no_gap,
    _services_are_all_there_are,
    _interval_fits_the_hour,
    _probe_fits_the_minute,
    _warned_in_time,
    _incidents_end,
)
WIDE_LAWS: tuple[WideLaw, ...] = (_ladder_starts_at_the_promise, _severities_descend)
