"""Section 3: backups, high availability, and what happens when something large fails."""

from ai_agent_mesh.playbook.schema.kinds import (
    By,
    Cadence,
    Duration,
    Flag,
    Positive,
    Recovery,
    Section,
    Text,
)
from ai_agent_mesh.sla import TierName


class DatabaseBackups(Section, frozen=True):
    """How the database is kept twice."""

    snapshot_every: Duration
    point_in_time: Duration
    cross_region: Text
    standard_retention: Duration
    compliance_retention: Duration


class StateBackups(Section, frozen=True):
    """How everything beside the database is kept twice."""

    stateful_sets: Cadence
    configuration: Text
    secrets: Text
    secrets_replicated: Flag


class BackupTests(Section, frozen=True):
    """How often it is proved that backups can be restored."""

    restore: Cadence
    restore_automated: Flag
    drill: Cadence
    drill_scope: Text


class Backups(Section, frozen=True):
    """What is backed up, how often, how long, and how it is tried."""

    database: DatabaseBackups
    state: StateBackups
    tests: BackupTests


class Zones(Section, frozen=True):
    """How one region survives the loss of a zone."""

    nodes_across: Positive
    database: Text
    database_failover: By
    cache: Text
    cache_replication: Text


class Regions(Section, frozen=True):
    """How the platform survives the loss of a region, and for whom."""

    tiers: tuple[TierName, ...]
    setup: Text
    primary: Text
    standby: Text
    failover: Text
    recovery_point: Duration
    recovery_time: Duration


class HighAvailability(Section, frozen=True):
    """What stands twice."""

    zones: Zones
    regions: Regions


class Scenario(Section, frozen=True):
    """A disaster: what it does, what is done, how soon it is over and for which tiers."""

    title: Text
    impact: Text
    action: Text
    by: By
    recovery_within: Recovery
    tiers: tuple[TierName, ...]
    recovery_from: Duration | None = None
