"""Sections 7 and 8: what the platform runs on, how it grows, and what that costs."""

from collections.abc import Mapping

from ai_agent_mesh.playbook.schema.kinds import (
    Bytes,
    Cadence,
    Condition,
    Count,
    Number,
    Positive,
    Section,
    Share,
    Text,
    Words,
    Years,
)


class Compute(Section, frozen=True):
    """The machines and how full they may be."""

    nodes: Positive
    instance: Text
    vcpus: Positive
    memory: Bytes
    utilisation_target: Share
    utilisation_burst: Share


class DatabaseCapacity(Section, frozen=True):
    """The database's machine and storage."""

    engine: Text
    instance: Text
    vcpus: Positive
    memory: Bytes
    storage: Bytes
    storage_grows_to: Bytes
    iops: Count
    iops_kind: Text


class Cache(Section, frozen=True):
    """The cache and how often it must have the answer."""

    engine: Text
    nodes: Positive
    instance: Text
    memory: Bytes
    hit_rate_above: Share


class Capacity(Section, frozen=True):
    """What there is now."""

    compute: Compute
    database: DatabaseCapacity
    cache: Cache


class PodScaling(Section, frozen=True):
    """When replicas are added and taken away."""

    up: Condition
    down: Condition
    min_replicas: Positive
    max_replicas: Positive


class NodeScaling(Section, frozen=True):
    """When machines are added and taken away."""

    up: Condition
    down: Condition


class DatabaseScaling(Section, frozen=True):
    """When the database gets help."""

    add_replica: Condition
    larger_instance: Text


class Scaling(Section, frozen=True):
    """What grows and shrinks by itself."""

    pods: PodScaling
    nodes: NodeScaling
    database: DatabaseScaling


class Projection(Section, frozen=True):
    """A figure now and as it is expected."""

    title: Text
    now: Number
    in_6_months: Number
    in_12_months: Number


class Reserved(Section, frozen=True):
    """What is bought for years."""

    share: Share
    commitment: Years


class OnDemand(Section, frozen=True):
    """What is bought by the hour."""

    share: Share
    used_for: Text


class Spot(Section, frozen=True):
    """What may be taken away at any moment."""

    workload: Text
    savings: Share
    on_interruption: Text


class RightSizing(Section, frozen=True):
    """How what is too large is found."""

    review: Cadence
    action: Text


class Attribution(Section, frozen=True):
    """How cost finds its customer."""

    by: Text
    reports: Words


class Cost(Section, frozen=True):
    """How cost is kept down and told apart."""

    reserved: Reserved
    on_demand: OnDemand
    spot: Spot
    right_sizing: RightSizing
    shares: Mapping[str, Share]
    attribution: Attribution
