"""Section 6: how a change reaches production, and how it is taken back."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from ai_agent_mesh.playbook.schema.kinds import (
    Condition,
    Duration,
    Flag,
    Keys,
    Positive,
    Section,
    Text,
    Words,
)


class Hotfix(Section, frozen=True):
    """What an emergency may leave out, and who must agree."""

    approval_from: Text
    may_skip_staging: Flag
    only_if: Text


class Deployments(Section, frozen=True):
    """The stages that a change passes."""

    approvals: Positive
    stages: Words
    pipeline: Text
    strategy: Text
    soak: Duration
    rollback: Text
    hotfix: Hotfix


class RollbackSignal(StrEnum):
    """A figure that can undo a release by itself."""

    ERROR_RATE = "error_rate"
    LATENCY_P99 = "latency_p99"
    HEALTH_CHECK_FAILURES = "health_check_failures"


class Rollback(Section, frozen=True):
    """What undoes a release, by what commands, and how soon it is done."""

    triggers: Annotated[Mapping[str, Condition], Keys(RollbackSignal)]
    commands: Words
    target: Duration
    worst_case: Duration
