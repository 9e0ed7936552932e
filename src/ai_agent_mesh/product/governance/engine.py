"""One decision, from a question and compiled policies, without a database."""

import time
from collections.abc import Iterable
from datetime import datetime

import cedarpy

from ai_agent_mesh.product.governance.cedar import asked, judged, reasons
from ai_agent_mesh.product.governance.model import Decision, Effect, PolicyRef, Question
from ai_agent_mesh.product.governance.places import parsed, schema
from ai_agent_mesh.product.governance.slices import Compiled, PolicySet
from ai_agent_mesh.product.governance.store import StoredPolicy


def compile_set(version: int, stored: Iterable[StoredPolicy]) -> PolicySet:
    """Parse and check every policy of a set.

    A policy that does not fit the schema any more makes the set unfit, and an unfit set denies
    everything: leaving out a `forbid` would allow what it forbids.
    """
    policies: list[Compiled] = []
    unfit: list[str] = []
    for one in stored:
        try:
            template = parsed(one.text)
            sound = bool(cedarpy.validate_policies(one.text, schema()))
        except ValueError:
            sound = False
        if sound:
            ref = PolicyRef(one.id, one.name, one.version, Effect(template.effect))
            policies.append(Compiled(ref, template))
        else:
            unfit.append(f"policy {one.name}, version {one.version}, does not fit the schema")
    return PolicySet(version, policies, unfit)


def answer(
    question: Question, tenant: str, at: datetime, policies: PolicySet, *, sliced: bool = True
) -> Decision:
    """Decide; `sliced=False` evaluates every policy, to compare with."""
    began = time.perf_counter_ns()
    if policies.unfit:
        return denial(policies.unfit, policies.version, _since(began))
    words = asked(question, tenant, at)
    verdict = judged(words, policies.slice(words) if sliced else policies.whole())
    named = [ref for key in verdict.determining if (ref := policies.ref(key)) is not None]
    named.sort(key=lambda ref: ref.name)
    return Decision(
        allowed=verdict.allowed,
        determining=tuple(ref.name for ref in named),
        policies=tuple(named),
        reasons=reasons(words, verdict, policies.ref),
        duration_us=_since(began),
        policy_version=policies.version,
    )


def denial(why: Iterable[str], version: int, duration_us: int) -> Decision:
    """Return a no that no policy decided."""
    return Decision(
        allowed=False,
        determining=(),
        policies=(),
        reasons=tuple(why),
        duration_us=duration_us,
        policy_version=version,
    )


def _since(began_ns: int) -> int:
    return (time.perf_counter_ns() - began_ns) // 1000
