"""An incident from what was said of it: acts as ledger entries, and what acts alone give."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from ai_agent_mesh.evidence import PLATFORM_TENANT, Entry, EntryUnreadable, Kind
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.incidents.model import Act, Incident, Verb

#: What `applied` reads the members of an incident from, however they were kept.
Members = dict[str, object]


def in_text(words: Mapping[str, object]) -> Mapping[str, str]:
    """Return what an act says as texts, which a ledger entry can hold."""
    return {name: _text(value) for name, value in words.items()}


def applied(before: Incident | None, act: Act) -> Incident:
    """Return the incident after an act; `before` is None for the one that opens it.

    Raises:
        EntryUnreadable: what the act says is not an incident's.
    """
    said: Members = dict(act.said)
    if "services" in said:
        said["services"] = act.said["services"].split(",")
    kept: Members = {"opened_at": act.at, "opened_by": act.by}
    if before is not None:
        kept = msgspec.structs.asdict(before)
    now: Members = {"id": act.incident, "version": act.ordinal, "changed_at": act.at}
    try:
        return msgspec.convert({**kept, **said, **now}, Incident)
    except msgspec.ValidationError as error:
        raise EntryUnreadable(reason=f"{act.entry} says no incident: {error}") from error


def known(acts: Iterable[Act], moment: datetime, span: Span) -> tuple[Incident, ...]:
    """Return the incidents that touch a span, as they were known at a moment, the earliest first.

    `acts` are in their order, at least all of each incident in question up to the moment.

    Raises:
        EntryUnreadable: what an act says is not an incident's.
    """
    found: dict[str, Incident] = {}
    for act in acts:
        if act.at < moment:
            found[act.incident] = applied(found.get(act.incident), act)
    touching = (one for one in found.values() if one.touches(span))
    return tuple(sorted(touching, key=lambda one: (one.began_at, one.id)))


def entry_of(act: Act, playbook: str) -> Entry:
    """Return the ledger entry that an act is: everything that it says is in it."""
    return Entry(
        id=act.entry,
        kind=Kind.ACT,
        tenant=PLATFORM_TENANT,
        at=act.at,
        actor=act.by,
        object=act.incident,
        playbook=playbook,
        detail={"act": act.verb.value, "ordinal": str(act.ordinal), **act.said},
    )


def is_of_incident(entry: Entry) -> bool:
    """Tell whether an entry is an act about an incident."""
    return (
        entry.tenant == PLATFORM_TENANT
        and entry.kind is Kind.ACT
        and entry.detail.get("act") in set(Verb)
    )


def act_of(entry: Entry) -> Act:
    """Return the act that such an entry is; EntryUnreadable where it lacks something."""
    said = {name: text for name, text in entry.detail.items() if name not in {"act", "ordinal"}}
    try:
        return Act(
            incident=entry.object or "",
            ordinal=int(entry.detail["ordinal"]),
            verb=Verb(entry.detail["act"]),
            at=entry.at,
            by=entry.actor or "",
            entry=entry.id,
            said=said,
        )
    except (KeyError, ValueError) as error:
        raise EntryUnreadable(reason=f"{entry.id} says nothing of an incident: {error}") from error


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return ",".join(value) if isinstance(value, tuple) else str(value)
