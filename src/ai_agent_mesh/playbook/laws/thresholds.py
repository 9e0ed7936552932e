"""Laws of section 5 and 6: each signal in its own unit, a warning before its alarm."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from types import NoneType

from ai_agent_mesh.playbook.laws.law import Broken, Law, WideLaw, law
from ai_agent_mesh.playbook.schema.changes import Rollback, RollbackSignal
from ai_agent_mesh.playbook.schema.monitoring import Signal
from ai_agent_mesh.playbook.units import Condition
from ai_agent_mesh.playbook.units.conditions import write_condition
from ai_agent_mesh.playbook.units.moments import write_duration

#: What each signal is measured in; an event in nothing.
LEVELS: dict[str, type] = {
    Signal.API_ERROR_RATE: Fraction,
    Signal.LATENCY_P99: timedelta,
    Signal.DATABASE_CONNECTIONS: Fraction,
    Signal.DISK_USAGE: Fraction,
    Signal.MEMORY_USAGE: Fraction,
    Signal.CERTIFICATE_EXPIRY: timedelta,
    Signal.POD_CRASH_LOOP: NoneType,
    Signal.DEPLOYMENT_COMPLETED: NoneType,
    Signal.AUTOSCALING_TRIGGERED: NoneType,
    Signal.BACKUP_COMPLETED: NoneType,
    RollbackSignal.ERROR_RATE: Fraction,
    RollbackSignal.LATENCY_P99: timedelta,
    RollbackSignal.HEALTH_CHECK_FAILURES: Fraction,
}
_EXAMPLES = {Fraction: "a percentage such as above 5%", timedelta: "a duration such as above 2s",
             NoneType: "event"}  # fmt: skip


def _each_in_its_unit(rules: Mapping[str, Condition]) -> Broken:
    for name, condition in rules.items():
        wanted = LEVELS.get(name, NoneType)
        if not isinstance(condition.level, wanted):
            shown = write_condition(condition)
            yield name, f"is {shown!r}, the wrong unit; expected {_EXAMPLES[wanted]}"


def _warning_comes_first(scalars: Mapping[str, object]) -> Broken:
    for signal in Signal:
        key = f"alerts.warning.rules.{signal}"
        alarm, warning = scalars.get(f"alerts.critical.rules.{signal}"), scalars.get(key)
        if not (isinstance(alarm, Condition) and isinstance(warning, Condition)):
            continue
        if isinstance(alarm.level, LEVELS[signal]) and not alarm.stricter_than(warning):
            limit = write_condition(alarm)
            yield key, f"comes no earlier than critical ({limit}); expected it to warn before"


@law(Rollback, "target", "worst_case")
def _target_within_the_worst(target: timedelta, worst: timedelta) -> Broken:
    if worst < target:
        yield "worst_case", f"is below the target; expected at least {write_duration(target)}"


LAWS: tuple[Law, ...] = (
    law("alerts.*.rules")(_each_in_its_unit),
    law("rollback.triggers")(_each_in_its_unit),
    _target_within_the_worst,
)
WIDE_LAWS: tuple[WideLaw, ...] = (_warning_comes_first,)
