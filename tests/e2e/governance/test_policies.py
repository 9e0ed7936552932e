"""Policies in PostgreSQL: in force at once, versioned, and each tenant's own."""

import asyncio

import asyncpg
import pytest
from tests.conftest import Databases

from ai_agent_mesh.plumbing.http import PreconditionFailed, PreconditionRequired
from ai_agent_mesh.plumbing.postgres import Database
from ai_agent_mesh.product.governance import (
    Action,
    ActorRef,
    AgentRef,
    Gate,
    Policies,
    PolicyMissing,
    Question,
    starter,
)
from ai_agent_mesh.product.telemetry import Kind, Telemetry, names

ALL = "permit (principal, action, resource);"
NONE = "forbid (principal, action, resource);"
QUESTION = Question(
    ActorRef(id="key_1", role="developer"),
    Action.INVOKE_AGENT,
    AgentRef(id="agt_1", name="sums", kind="a2a"),
)


async def put(
    app: Database, name: str, text: str, if_match: str | None = None, tenant: str = "tnt_a"
) -> int:
    async with app.tenant(tenant) as tx:
        return (await Policies(tx).put(name, text, if_match=if_match)).version


async def allowed(app: Database, gate: Gate, tenant: str = "tnt_a") -> bool:
    async with app.tenant(tenant) as tx:
        return (await gate.decide(tx, QUESTION)).allowed


async def test_a_changed_policy_is_in_force_for_the_next_decision_of_every_process(
    databases: Databases,
) -> None:
    here, there = Gate(), Gate()
    assert not await allowed(databases.app, here)
    await put(databases.app, "all", ALL)
    assert await allowed(databases.app, here)
    assert await allowed(databases.app, there)
    await put(databases.app, "none", NONE)
    assert not await allowed(databases.app, here)
    assert not await allowed(databases.app, there)
    async with databases.app.tenant("tnt_a") as tx:
        await Policies(tx).delete("none", if_match='"1"')
    assert await allowed(databases.app, here)
    assert await allowed(databases.app, there)


async def test_a_disabled_policy_decides_nothing(databases: Databases) -> None:
    gate = Gate()
    await put(databases.app, "all", ALL)
    async with databases.app.tenant("tnt_a") as tx:
        await Policies(tx).put("all", ALL, enabled=False, if_match='"1"')
    assert not await allowed(databases.app, gate)


async def test_one_tenants_policies_are_nothing_to_another(databases: Databases) -> None:
    gate = Gate()
    await put(databases.app, "all", ALL, tenant="tnt_a")
    assert await allowed(databases.app, gate, "tnt_a")
    assert not await allowed(databases.app, gate, "tnt_b")
    async with databases.app.tenant("tnt_b") as tx:
        assert await Policies(tx).page() == []
        with pytest.raises(PolicyMissing):
            await Policies(tx).get("all")
        with pytest.raises(PolicyMissing):
            await Policies(tx).history("all")
        assert await tx.execute("UPDATE policy SET text = $1", NONE) == 0
        assert await tx.execute("DELETE FROM policy") == 0
    assert await allowed(databases.app, gate, "tnt_a")


async def test_a_change_that_was_undone_is_never_decided_by(databases: Databases) -> None:
    """The undone set and the next one have the same version, and must not be mistaken."""
    gate = Gate()
    await put(databases.app, "all", ALL)
    tx = await databases.app.begin("tnt_a")
    await Policies(tx).put("more", NONE)
    assert not (await gate.decide(tx, QUESTION)).allowed
    await databases.app.rollback(tx)
    await put(databases.app, "more", ALL)
    async with databases.app.tenant("tnt_a") as tx:
        decision = await gate.decide(tx, QUESTION)
    assert decision.allowed
    assert decision.policy_version == 2


async def test_of_two_writers_with_one_etag_one_is_told(databases: Databases) -> None:
    await put(databases.app, "rule", ALL)
    results = await asyncio.gather(
        put(databases.app, "rule", NONE, '"1"'),
        put(databases.app, "rule", ALL + " // again", '"1"'),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["PreconditionFailed", "int"]
    async with databases.app.tenant("tnt_a") as tx:
        assert [v.version for v in await Policies(tx).history("rule")] == [2, 1]


async def test_two_writers_of_two_policies_take_following_set_versions(
    databases: Databases,
) -> None:
    await asyncio.gather(*(put(databases.app, f"p{at}", ALL) for at in range(6)))
    async with databases.app.tenant("tnt_a") as tx:
        policies = Policies(tx)
        taken = [(await policies.history(f"p{at}"))[0].set_version for at in range(6)]
        assert sorted(taken) == [1, 2, 3, 4, 5, 6]
        assert await policies.set_version() == 6


async def test_to_replace_a_policy_one_must_say_which_version(databases: Databases) -> None:
    await put(databases.app, "rule", ALL)
    with pytest.raises(PreconditionRequired):
        await put(databases.app, "rule", NONE)
    with pytest.raises(PreconditionFailed):
        await put(databases.app, "rule", NONE, '"7"')
    with pytest.raises(PreconditionFailed):
        await put(databases.app, "absent", NONE, '"1"')
    assert await put(databases.app, "rule", NONE, '"1"') == 2


async def test_a_version_once_written_stays_through_deletion_and_rebirth(
    databases: Databases,
) -> None:
    await put(databases.app, "rule", ALL)
    async with databases.app.tenant("tnt_a") as tx:
        await Policies(tx, by="usr_1").delete("rule", if_match='"1"')
    assert await put(databases.app, "rule", NONE) == 3
    async with databases.app.tenant("tnt_a") as tx:
        versions = await Policies(tx).history("rule")
        assert [(v.version, v.deleted, v.text) for v in versions] == [
            (3, False, NONE),
            (2, True, ALL),
            (1, False, ALL),
        ]
        assert versions[1].by == "usr_1"
    for statement in ("UPDATE policy_version SET text = ''", "DELETE FROM policy_version"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with databases.app.tenant("tnt_a") as tx:
                await tx.execute(statement)


async def test_the_starter_set_is_installed_once_and_what_was_deleted_stays_away(
    databases: Databases,
) -> None:
    async with databases.app.tenant("tnt_a") as tx:
        assert await Policies(tx).install_starter() == tuple(starter())
    assert await allowed(databases.app, Gate())
    async with databases.app.tenant("tnt_a") as tx:
        await Policies(tx).delete("people-invoke-agents", if_match="*")
    async with databases.app.tenant("tnt_a") as tx:
        assert await Policies(tx).install_starter() == ()
    assert not await allowed(databases.app, Gate())


async def test_a_decision_is_recorded_with_its_policies_and_version(databases: Databases) -> None:
    await put(databases.app, "all", ALL)
    await put(databases.app, "none", NONE)
    async with databases.app.tenant("tnt_a") as tx:
        decision = await Gate().decide(tx, QUESTION, run_id="run_1")
    assert decision.determining == ("none",)
    assert [(ref.name, ref.version) for ref in decision.policies] == [("none", 1)]
    assert decision.reasons == ("forbidden by policy none, version 1",)
    async with databases.app.tenant("tnt_a") as tx:
        row = await tx.fetchrow("SELECT trace_id, run_id, agent_id FROM span")
        assert row is not None
        (span,) = (await Telemetry(tx).trace(row["trace_id"])).spans
    assert (span.kind, span.run_id, span.agent_id) == (Kind.POLICY_DECISION, "run_1", "agt_1")
    assert span.attributes[names.POLICY_DECISION] == "deny"
    assert span.attributes[names.POLICY_DETERMINING] == ["none"]
    assert span.attributes[names.POLICY_SET_VERSION] == 2


async def test_the_gate_keeps_a_bounded_number_of_sets(databases: Databases) -> None:
    gate = Gate(sets_kept=2)
    for tenant in ("tnt_a", "tnt_b", "tnt_c"):
        await put(databases.app, "all", ALL, tenant=tenant)
        assert await allowed(databases.app, gate, tenant)
    assert len(gate._sets) == 2
    assert await allowed(databases.app, gate, "tnt_a")


async def test_many_who_ask_at_once_after_a_change_are_answered_alike(
    databases: Databases,
) -> None:
    gate = Gate()
    async with databases.app.tenant("tnt_a") as tx:
        policies = Policies(tx)
        for at in range(40):
            await policies.put(f"p{at}", ALL)
    answers = await asyncio.gather(*(allowed(databases.app, gate) for _ in range(16)))
    assert answers == [True] * 16
