"""Laws of section 5 and 6: each signal in its own unit, whole windows, warnings before alarms."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from types import NoneType

from ai_agent_mesh.playbook.laws.law import Broken, Law, WideLaw, law
from ai_agent_mesh.playbook.schema.changes import Rollback, RollbackSignal
from ai_agent_mesh.playbook.schema.monitoring import Alerting, Burn, BurnAlerts, Signal
from ai_agent_mesh.playbook.units import Condition
from ai_agent_mesh.playbook.units.conditions import write_condition
from ai_agent_mesh.playbook.units.moments import write_duration

_MINUTE = timedelta(minutes=1)
_SHORTEST_MONTH = timedelta(days=28)

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


@law(Alerting, "rates_over")
def _measured_in_whole_minutes(over: timedelta) -> Broken:
    if over % _MINUTE:
        yield "rates_over", "is not whole minutes; expected such as 5m"


@law(BurnAlerts, "short_window", "windows")
def _windows_divide(parts: int, windows: tuple[Burn, ...]) -> Broken:
    for index, one in enumerate(windows):
        if one.within % (parts * _MINUTE):
            yield (
                f"windows.{index}.within",
                f"has no {parts} parts of whole minutes; expected such as {parts * 5}m",
            )
        if one.within > _SHORTEST_MONTH:
            yield f"windows.{index}.within", "is longer than a month; expected at most 28d"
        if not one.budget:
            yield f"windows.{index}.budget", "is nothing; expected more than 0%"


LAWS: tuple[Law, ...] = (
    _measured_in_whole_minutes,
    _windows_divide,
    law("alerts.*.rules")(_each_in_its_unit),
    law("rollback.triggers")(_each_in_its_unit),
    _target_within_the_worst,
)
WIDE_LAWS: tuple[WideLaw, ...] = (_warning_comes_first,)
