"""What may be said of an incident, and when: each act's words, or the place of every mistake."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import takewhile

import msgspec
from msgspec import UNSET

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.operations.incidents.facts import (
    AlreadyResolved,
    IncidentInvalid,
    NotResolved,
)
from ai_agent_mesh.operations.incidents.model import Change, Draft, Incident, Resolution
from ai_agent_mesh.playbook import Playbook, Stage
from ai_agent_mesh.sla import Service

#: How many characters texts may have.
LENGTHS = {"title": 200, "cause": 4_000}
#: What began longer ago is a mistyped year rather than news.
FURTHEST = timedelta(days=366)
#: What is said of an incident only once it is over.
_IN_THE_END = ("cause", "resolved_at")

#: What an act sets, by the incident's member.
Words = Mapping[str, object]


def opening(draft: Draft, playbook: Playbook, now: datetime) -> Words:
    """Return what an opening says; IncidentInvalid names every mistake with its place."""
    words = {
        "began_at": now,
        "stage": playbook.incidents.lifecycle[0],
        **_given(draft),
    }
    _check(words, None, now)
    return words


def changing(before: Incident, change: Change, playbook: Playbook, now: datetime) -> Words:
    """Return what a change says anew, which may be nothing.

    Raises:
        IncidentInvalid, AlreadyResolved, NotResolved
    """
    given = _given(change)
    words = {name: said for name, said in given.items() if said != getattr(before, name)}
    if before.resolved_at is None:
        for name in _IN_THE_END:
            if name in words:
                raise NotResolved(incident=before.id, field=name)
    elif "stage" in words:
        raise AlreadyResolved(incident=before.id, at=before.resolved_at.isoformat())
    _check(words, before, now)
    stages = open_stages(playbook)
    if words.get("stage", stages[0]) not in stages:
        reason = f"must be one of {', '.join(stages)}; what is over is resolved"
        raise IncidentInvalid(faults=[Fault("/stage", reason)])
    return words


def resolving(before: Incident, end: Resolution, now: datetime) -> Words:
    """Return what a resolution says.

    Raises:
        IncidentInvalid, AlreadyResolved
    """
    if before.resolved_at is not None:
        raise AlreadyResolved(incident=before.id, at=before.resolved_at.isoformat())
    words = {"resolved_at": now, "stage": Stage.RESOLUTION, **_given(end)}
    _check(words, before, now)
    return words


def open_stages(playbook: Playbook) -> tuple[Stage, ...]:
    """Return where an open incident may stand, in the playbook's order.

    It moves among them in either direction: a fix that does not hold leads back.
    """
    lifecycle = playbook.incidents.lifecycle
    return tuple(takewhile(lambda stage: stage is not Stage.RESOLUTION, lifecycle))


def _given(said: Draft | Change | Resolution) -> dict[str, object]:
    """Return what was said, without what was left out: texts trimmed, each service once."""
    given: dict[str, object] = {
        name: value for name, value in msgspec.structs.asdict(said).items() if value is not UNSET
    }
    for name, value in given.items():
        if isinstance(value, str):
            given[name] = value.strip() if name in LENGTHS else value
        elif isinstance(value, list):
            given[name] = tuple(service for service in Service if service in value)
    return given


def _check(words: Words, before: Incident | None, now: datetime) -> None:
    faults = [*_faults_of_words(words), *_faults_of_time(words, before, now)]
    if faults:
        raise IncidentInvalid(faults=faults)


def _faults_of_words(words: Words) -> Iterator[Fault]:
    for name, most in LENGTHS.items():
        text = words.get(name)
        if not isinstance(text, str):
            continue
        if not 1 <= len(text) <= most:
            yield Fault(f"/{name}", f"must have 1 to {most} characters")
        elif not all(line.isprintable() for line in _lines(name, text)):
            yield Fault(f"/{name}", "must be printable")
    if words.get("services") == ():
        yield Fault("/services", "must name a service")


def _lines(name: str, text: str) -> list[str]:
    """Return what must be printable by itself: a title is one line."""
    return [text] if name == "title" else text.split("\n")


def _faults_of_time(words: Words, before: Incident | None, now: datetime) -> Iterator[Fault]:
    began, resolved = words.get("began_at"), words.get("resolved_at")
    for name, at in (("began_at", began), ("resolved_at", resolved)):
        if isinstance(at, datetime) and at > now:
            yield Fault(f"/{name}", "must not be to come")
    if isinstance(began, datetime) and began < now - FURTHEST:
        yield Fault("/began_at", f"must be within {FURTHEST.days} days before now")
    if before is not None:
        start, end = began or before.began_at, resolved or before.resolved_at
        if isinstance(start, datetime) and isinstance(end, datetime) and end <= start:
            place, other = ("began_at", "before resolved_at") if not resolved else (
                "resolved_at", "after began_at"
            )  # fmt: skip
            yield Fault(f"/{place}", f"must be {other}")
