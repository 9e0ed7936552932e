"""The kinds of value that a playbook's keys have: a Python type and the unit it is written in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, TypeAlias

from msgspec import Struct

from ai_agent_mesh.kernel.money import Money as KernelMoney
from ai_agent_mesh.playbook import units
from ai_agent_mesh.sla import Response as SlaResponse
from ai_agent_mesh.sla import TierName, WeeklyWindow
from ai_agent_mesh.sla import Years as SlaYears

Text: TypeAlias = Annotated[str, units.TEXT]
Url: TypeAlias = Annotated[str, units.URL]
Email: TypeAlias = Annotated[str, units.EMAIL]
Flag: TypeAlias = Annotated[bool, units.FLAG]
Date: TypeAlias = Annotated[date, units.DATE]
Duration: TypeAlias = Annotated[timedelta, units.DURATION]
Recovery: TypeAlias = Annotated[timedelta, units.RECOVERY]
Response: TypeAlias = Annotated[SlaResponse, units.RESPONSE]
Years: TypeAlias = Annotated[SlaYears, units.YEARS]
Window: TypeAlias = Annotated[WeeklyWindow, units.WINDOW]
Share: TypeAlias = Annotated[Fraction, units.SHARE]
Money: TypeAlias = Annotated[KernelMoney, units.MONEY]
Bytes: TypeAlias = Annotated[int, units.BYTES]
Whole: TypeAlias = Annotated[int, units.WHOLE]
Positive: TypeAlias = Annotated[int, units.POSITIVE]
Count: TypeAlias = Annotated[int, units.COUNT]
Number: TypeAlias = Annotated[Fraction, units.NUMBER]
Limit: TypeAlias = Annotated[int | None, units.LIMIT]
Condition: TypeAlias = Annotated[units.Condition, units.CONDITION]
Words: TypeAlias = tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that a map may have, and whether it must have them all."""

    names: type[StrEnum]
    all: bool = True
    but: frozenset[str] = frozenset()

    @property
    def allowed(self) -> tuple[str, ...]:
        """Return the keys in their order."""
        return tuple(name.value for name in self.names if name.value not in self.but)


class Severity(StrEnum):
    """How bad an incident is."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class Cadence(StrEnum):
    """How often something comes round."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class By(StrEnum):
    """Whether a machine or a person does it."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


#: For maps with an entry for each tier or severity.
EACH_TIER = Keys(TierName)
EACH_SEVERITY = Keys(Severity)
SOME_SEVERITIES = Keys(Severity, all=False)

Clocks: TypeAlias = Annotated[Mapping[str, Duration], SOME_SEVERITIES]


class Section(Struct, frozen=True):
    """A part of the playbook; its fields are its keys."""
