"""What a ledger entry says of maintenance, and the maintenance that entries alone give."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from ai_agent_mesh.evidence import (
    ANNOUNCED,
    CANCELLED,
    PLATFORM_TENANT,
    Entry,
    EntryUnreadable,
    Kind,
    Link,
    Numbered,
    is_evidence,
)
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.planned.model import Maintenance, Proof
from ai_agent_mesh.sla import Service

_ALL = "all"


def announced(work: Maintenance, actor: str, playbook: str, before: Link) -> Entry:
    """Return the entry that announces: every fact of the maintenance is in it, and its place."""
    services = _ALL if work.services is None else ",".join(work.named)
    facts = {
        "title": work.title,
        "description": work.description,
        "since": _text(work.span.since),
        "until": _text(work.span.until),
        "services": services,
    }
    said = {"act": ANNOUNCED, **facts, **before.facts}
    return _act(work.announced, work.id, actor, playbook, said)


def cancelled(work: Maintenance, proof: Proof, actor: str, playbook: str, before: Link) -> Entry:
    """Return the entry that calls maintenance off."""
    return _act(proof, work.id, actor, playbook, {"act": CANCELLED, **before.facts})


def proof_at(now: datetime) -> Proof:
    """Return what an act of this moment will be proved by."""
    return Proof(now, new_id("ent"))


def drawn(entries: Iterable[Numbered]) -> tuple[Maintenance, ...]:
    """Return the maintenance that entries give, in the order of its announcement.

    Raises:
        EntryUnreadable: an announcement lacks a fact.
    """
    found: dict[str, Maintenance] = {}
    off: dict[str, Proof] = {}
    for number, entry, *_ in entries:
        if is_evidence(entry):
            proof = Proof(entry.at, entry.id, number)
            if entry.detail["act"] == CANCELLED:
                off.setdefault(entry.object or "", proof)
            else:
                found[entry.object or ""] = _read(entry, proof)
    return tuple(replace(one, cancelled=off.get(one.id)) for one in found.values())


def _read(entry: Entry, proof: Proof) -> Maintenance:
    try:
        facts = entry.detail
        span = Span(datetime.fromisoformat(facts["since"]), datetime.fromisoformat(facts["until"]))
        return Maintenance(
            id=entry.object or "",
            title=facts["title"],
            description=facts["description"],
            span=span,
            services=_services(facts["services"]),
            announced=proof,
        )
    except (KeyError, ValueError) as error:
        raise EntryUnreadable(reason=f"{entry.id} announces no maintenance: {error}") from error


def _act(proof: Proof, work: str, actor: str, playbook: str, detail: Mapping[str, str]) -> Entry:
    return Entry(
        id=proof.entry,
        kind=Kind.ACT,
        tenant=PLATFORM_TENANT,
        at=proof.at,
        actor=actor,
        object=work,
        playbook=playbook,
        detail=dict(detail),
    )


def _services(text: str) -> frozenset[Service] | None:
    return None if text == _ALL else frozenset(map(Service, text.split(",")))


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
