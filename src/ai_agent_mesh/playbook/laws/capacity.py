"""Laws of sections 3, 7 and 8: room to grow, up above down, shares that make a whole."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from ai_agent_mesh.playbook.laws.law import Broken, Law, WideLaw, law
from ai_agent_mesh.playbook.schema.capacity import (
    Compute,
    DatabaseCapacity,
    NodeScaling,
    PodScaling,
)
from ai_agent_mesh.playbook.schema.continuity import Scenario
from ai_agent_mesh.playbook.units import BYTES, Condition, Sense
from ai_agent_mesh.playbook.units.conditions import write_condition
from ai_agent_mesh.playbook.units.moments import write_duration
from ai_agent_mesh.sla import percent_text


def _down_under_up(up: Condition, down: Condition) -> Broken:
    if up.sense is not Sense.ABOVE:
        yield "up", "does not scale up above a level; expected such as cpu above 70% for 2m"
    if down.sense is not Sense.BELOW:
        yield "down", "does not scale down below a level; expected such as cpu below 30% for 5m"
    low, high = down.level, up.level
    if isinstance(low, Fraction) and isinstance(high, Fraction) and low >= high:
        yield "down", f"is not under `up` ({write_condition(up)}); expected a lower level"


@law(PodScaling, "min_replicas", "max_replicas")
def _replicas_rise(least: int, most: int) -> Broken:
    if most < least:
        yield "max_replicas", f"is below min_replicas; expected at least {least}"


@law(Compute, "utilisation_target", "utilisation_burst")
def _burst_above_target(target: Fraction, burst: Fraction) -> Broken:
    if burst < target:
        yield "utilisation_burst", f"is below the target; expected at least {percent_text(target)}"


@law(DatabaseCapacity, "storage", "storage_grows_to")
def _storage_grows(now: int, later: int) -> Broken:
    if later < now:
        yield "storage_grows_to", f"is below storage; expected at least {BYTES.write(now)}"


@law(Scenario, "recovery_from", "recovery_within")
def _recovery_ends(first: timedelta | None, last: timedelta) -> Broken:
    if first is not None and last < first:
        yield (
            "recovery_within",
            f"is below recovery_from; expected at least {write_duration(first)}",
        )


@law("cost.shares")
def _shares_make_a_whole(shares: Mapping[str, Fraction]) -> Broken:
    if (total := sum(shares.values(), Fraction(0))) != 1:
        yield "", f"add up to {percent_text(total)}; expected 100%"


def _purchases_make_a_whole(scalars: Mapping[str, object]) -> Broken:
    reserved, burst = scalars.get("cost.reserved.share"), scalars.get("cost.on_demand.share")
    if isinstance(reserved, Fraction) and isinstance(burst, Fraction) and reserved + burst != 1:
        total = percent_text(reserved + burst)
        yield "cost.on_demand.share", f"and cost.reserved.share add up to {total}; expected 100%"


LAWS: tuple[Law, ...] = (
    law(PodScaling, "up", "down")(_down_under_up),
    law(NodeScaling, "up", "down")(_down_under_up),
    _replicas_rise,
    _burst_above_target,
    _storage_grows,
    _recovery_ends,
    _shares_make_a_whole,
)
WIDE_LAWS: tuple[WideLaw, ...] = (_purchases_make_a_whole,)
