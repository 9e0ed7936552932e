"""Sections 7 and 8 of the document: capacity and cost."""

from ai_agent_mesh.playbook.markdown.words import (
    bullets,
    condition,
    listed,
    number,
    size,
    table,
    title,
)
from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.units import YEARS
from ai_agent_mesh.sla import percent_text


def capacity(book: Playbook) -> str:
    """Return what there is, what grows by itself, and what is expected."""
    return "\n".join(
        [
            "### 7.1 Present\n",
            _present(book),
            "### 7.2 What grows by itself\n",
            _scaling(book),
            "### 7.3 Expected growth\n",
            table(
                ("Figure", "Now", "In 6 months", "In 12 months"),
                [
                    (row.title, *map(number, (row.now, row.in_6_months, row.in_12_months)))
                    for row in book.growth.values()
                ],
            ),
        ]
    )


def _present(book: Playbook) -> str:
    nodes, data, cache = book.capacity.compute, book.capacity.database, book.capacity.cache
    return bullets(
        [
            (
                f"Compute: {nodes.nodes} nodes ({nodes.instance}), together {nodes.vcpus} vCPUs "
                "and "
                f"{size(nodes.memory)}; used to {percent_text(nodes.utilisation_target)}, in "
                "bursts "
                f"to {percent_text(nodes.utilisation_burst)}."
            ),
            (
                f"Database: {data.engine} on {data.instance}, {data.vcpus} vCPUs, "
                f"{size(data.memory)}; "
                f"storage {size(data.storage)}, growing to {size(data.storage_grows_to)}; "
                f"{data.iops:,} IOPS ({data.iops_kind})."
            ),
            (
                f"Cache: {cache.engine}, {cache.nodes} nodes ({cache.instance}), "
                f"{size(cache.memory)}; "
                f"it has the answer more than {percent_text(cache.hit_rate_above)} of the time."
            ),
        ]
    )


def _scaling(book: Playbook) -> str:
    pods, nodes, data = book.scaling.pods, book.scaling.nodes, book.scaling.database
    return bullets(
        [
            (
                f"Pods, {pods.min_replicas} to {pods.max_replicas}: more on {condition(pods.up)}; "
                f"fewer on {condition(pods.down)}."
            ),
            f"Nodes: more on {condition(nodes.up)}; fewer on {condition(nodes.down)}.",
            (
                f"Database: a read replica on {condition(data.add_replica)}; a larger instance "
                f"{data.larger_instance}."
            ),
        ]
    )


def cost(book: Playbook) -> str:
    """Return how cost is kept down, and how it is told apart."""
    held, burst, spot = book.cost.reserved, book.cost.on_demand, book.cost.spot
    fit, told = book.cost.right_sizing, book.cost.attribution
    practice = bullets(
        [
            (
                f"{percent_text(held.share)} of the baseline reserved for "
                f"{YEARS.write(held.commitment)}; "
                f"{percent_text(burst.share)} on demand for {burst.used_for}."
            ),
            (
                f"Spot for {spot.workload}, saving {percent_text(spot.savings)}; when interrupted: "
                f"{spot.on_interruption}."
            ),
            f"Sizes reviewed {fit.review}: {fit.action}.",
        ]
    )
    shares = table(
        ("Service", "Share"),
        [(title(name), percent_text(share)) for name, share in book.cost.shares.items()],
    )
    customers = f"By customer: through {told.by}, for {listed(told.reports)}.\n"
    return f"### 8.1 Practice\n\n{practice}\n### 8.2 Where it goes\n\n{shares}\n{customers}"
