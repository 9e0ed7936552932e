"""Section 3 of the document: backups, high availability, disaster scenarios."""

from ai_agent_mesh.playbook.markdown.words import bullets, each, listed, spell, table, yes
from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.schema.continuity import Scenario


def continuity(book: Playbook) -> str:
    """Return what is kept twice, what stands twice, and what happens when something large fails."""
    return "\n".join(
        [
            "### 3.1 Backups\n",
            _backups(book),
            "### 3.2 High availability\n",
            _availability(book),
            "### 3.3 Scenarios\n",
            _scenarios(book),
        ]
    )


def _backups(book: Playbook) -> str:
    data, state, tests = book.backups.database, book.backups.state, book.backups.tests
    return bullets(
        [
            (
                f"Database: a snapshot {each(data.snapshot_every)}; any moment can be "
                "restored, "
                f"to {spell(data.point_in_time)}; copied to another region ({data.cross_region})."
            ),
            (
                f"Kept {spell(data.standard_retention)}, and {spell(data.compliance_retention)} "
                "where "
                "compliance asks for it."
            ),
            (
                f"State: stateful sets {state.stateful_sets}; configuration in "
                f"{state.configuration}; "
                f"secrets in {state.secrets} (replicated: {yes(state.secrets_replicated)})."
            ),
            (
                f"Tried: restored {tests.restore} (automated: {yes(tests.restore_automated)}); "
                f"drilled {tests.drill}, as {tests.drill_scope}."
            ),
        ]
    )


def _availability(book: Playbook) -> str:
    zones, regions = book.high_availability.zones, book.high_availability.regions
    return bullets(
        [
            (
                f"Zones: nodes across {zones.nodes_across}; database {zones.database} with "
                f"{zones.database_failover} failover; {zones.cache}, replicated "
                f"{zones.cache_replication}."
            ),
            (
                f"Regions ({listed(regions.tiers)}): {regions.setup}, {regions.primary} with "
                f"{regions.standby} standing by; {regions.failover}. At most "
                f"{spell(regions.recovery_point)} of data is lost, and the standby serves within "
                f"{spell(regions.recovery_time)}."
            ),
        ]
    )


def _scenarios(book: Playbook) -> str:
    rows = [
        (
            case.title,
            case.impact,
            f"{case.action} ({case.by})",
            f"{_recovery(case)} ({listed(case.tiers)})",
        )
        for case in book.scenarios.values()
    ]
    return table(("What fails", "Impact", "What is done", "Over within"), rows)


def _recovery(case: Scenario) -> str:
    if not case.recovery_within:
        return "at once"
    since = f"{spell(case.recovery_from)} to " if case.recovery_from else ""
    return f"{since}{spell(case.recovery_within)}"
