"""What may be said of an incident, and what its acts alone give."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ai_agent_mesh.evidence import Entry, EntryUnreadable, Kind
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.incidents import (
    Act,
    AlreadyResolved,
    Change,
    Draft,
    Incident,
    IncidentInvalid,
    NotResolved,
    Resolution,
    known,
    open_stages,
    view,
    whole,
)
from ai_agent_mesh.operations.incidents.history import (
    act_of,
    applied,
    entry_of,
    in_text,
    is_of_incident,
)
from ai_agent_mesh.operations.incidents.model import Verb
from ai_agent_mesh.operations.incidents.rules import Words, changing, opening, resolving
from ai_agent_mesh.playbook import Severity, Stage, default
from ai_agent_mesh.sla import Service

BOOK = default()
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta.resolution
DRAFT = Draft(
    title="Runs start late", severity=Severity.SEV2, services=[Service.ORCHESTRATION],
    began_at=NOW - HOUR,
)  # fmt: skip
END = Resolution(cause="A disk was full.")


class Told:
    """An incident that is told of act by act, each a minute after the one before."""

    def __init__(self, draft: Draft = DRAFT, name: str = "inc_1") -> None:
        self.acts: list[Act] = []
        self._name, self._minute = name, count()
        self.one = self._say(Verb.OPEN, None, opening(draft, BOOK, NOW))

    def change(self, **said: object) -> Incident:
        """Say something anew."""
        change = structs.replace(Change(), **said)
        return self._say(Verb.UPDATE, self.one, changing(self.one, change, BOOK, NOW + HOUR))

    def resolve(self, end: Resolution = END) -> Incident:
        """Say that it is over."""
        return self._say(Verb.RESOLVE, self.one, resolving(self.one, end, NOW + HOUR))

    def _say(self, verb: Verb, before: Incident | None, words: Words) -> Incident:
        act = Act(
            incident=self._name, ordinal=len(self.acts) + 1, verb=verb, by="usr_1",
            at=NOW + next(self._minute) * timedelta(minutes=1), entry=f"ent_{len(self.acts)}",
            said=in_text(words),
        )  # fmt: skip
        self.acts.append(act)
        self.one = applied(before, act)
        return self.one


def places(caught: pytest.ExceptionInfo[IncidentInvalid]) -> list[str]:
    """Return where the mistakes are."""
    return [fault.place for fault in caught.value.faults]


def test_an_incident_opens_where_the_playbooks_lifecycle_begins() -> None:
    one = Told().one
    assert (one.stage, one.version, one.opened_at) == (Stage.DETECTION, 1, NOW)
    assert (one.began_at, one.resolved_at, one.cause) == (NOW - HOUR, None, None)
    ways = structs.replace(BOOK.incidents, lifecycle=(Stage.TRIAGE, Stage.RESOLUTION))
    other = structs.replace(BOOK, incidents=ways)
    assert opening(DRAFT, other, NOW)["stage"] is Stage.TRIAGE
    assert open_stages(other) == (Stage.TRIAGE,)


def test_what_is_left_out_began_now_and_each_service_stands_once_in_its_order() -> None:
    twice = [Service.TELEMETRY, Service.API, Service.TELEMETRY]
    one = Told(Draft(title=" Slow ", severity=Severity.SEV3, services=twice)).one
    assert (one.title, one.began_at) == ("Slow", NOW)
    assert one.services == (Service.API, Service.TELEMETRY)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": " "}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "two\nlines"}, "/title"),
        ({"services": []}, "/services"),
        ({"began_at": NOW + TICK}, "/began_at"),
        ({"began_at": NOW - timedelta(days=367)}, "/began_at"),
    ],
)
def test_an_opening_that_cannot_be_says_where(change: dict[str, object], place: str) -> None:
    with pytest.raises(IncidentInvalid) as caught:
        opening(structs.replace(DRAFT, **change), BOOK, NOW)
    assert places(caught) == [place]


@pytest.mark.parametrize(
    ("end", "place"),
    [
        (Resolution(cause="  "), "/cause"),
        (Resolution(cause="x" * 4_001), "/cause"),
        (Resolution(cause="a\0b"), "/cause"),
        (Resolution(cause="Disk", resolved_at=NOW - HOUR), "/resolved_at"),
        (Resolution(cause="Disk", resolved_at=NOW - 2 * HOUR), "/resolved_at"),
        (Resolution(cause="Disk", resolved_at=NOW + TICK), "/resolved_at"),
    ],
)
def test_a_resolution_that_cannot_be_says_where(end: Resolution, place: str) -> None:
    with pytest.raises(IncidentInvalid) as caught:
        resolving(Told().one, end, NOW)
    assert places(caught) == [place]


def test_it_is_resolved_once_with_a_cause_that_may_have_lines() -> None:
    told = Told()
    one = told.resolve(Resolution(cause="A disk\nwas full.\n", resolved_at=NOW - HOUR + TICK))
    assert (one.stage, one.resolved_at) == (Stage.RESOLUTION, NOW - HOUR + TICK)
    assert one.cause == "A disk\nwas full."
    with pytest.raises(AlreadyResolved):
        told.resolve()


def test_while_it_is_open_it_moves_among_the_stages_before_resolution_in_either_direction() -> None:
    told = Told()
    for stage in (*open_stages(BOOK), *reversed(open_stages(BOOK))):
        words = changing(told.one, Change(stage=stage), BOOK, NOW)
        assert bool(words) is (stage is not told.one.stage)
        if words:
            told.change(stage=stage)
    for stage in (Stage.RESOLUTION, Stage.POST_MORTEM):
        with pytest.raises(IncidentInvalid) as caught:
            told.change(stage=stage)
        assert places(caught) == ["/stage"]
    told.resolve()
    with pytest.raises(AlreadyResolved):
        told.change(stage=Stage.TRIAGE)


def test_its_cause_and_end_are_amended_once_there_are_some_and_never_overwritten() -> None:
    told = Told()
    for said in ({"cause": "A guess"}, {"resolved_at": NOW}):
        with pytest.raises(NotResolved):
            told.change(**said)
    told.resolve()
    one = told.change(cause="A full disk, for its logs were never turned over.", resolved_at=NOW)
    assert (one.version, one.resolved_at) == (3, NOW)
    assert one.cause == "A full disk, for its logs were never turned over."
    shown = whole(one, told.acts, BOOK, inside=True)
    assert [act.said.get("cause") for act in shown.history] == [None, END.cause, one.cause]
    with pytest.raises(IncidentInvalid) as caught:
        told.change(began_at=NOW)
    assert places(caught) == ["/began_at"]


def test_an_old_incident_may_still_be_said_otherwise() -> None:
    told = Told()
    told.resolve()
    late = NOW + timedelta(days=800)
    assert changing(told.one, Change(title="Other"), BOOK, late) == {"title": "Other"}
    assert changing(told.one, Change(title=told.one.title), BOOK, late) == {}


def test_customers_are_told_everything_but_who_acted_and_what_alarmed() -> None:
    told = Told(structs.replace(DRAFT, alert="alr_1"))
    inside, outside = (whole(told.one, told.acts, BOOK, inside=who) for who in (True, False))
    assert (inside.opened_by, inside.alert, inside.history[0].by) == ("usr_1", "alr_1", "usr_1")
    assert (outside.opened_by, outside.alert, outside.history[0].by) == (None, None, None)
    assert "alert" not in outside.history[0].said
    assert outside.history[0].said["title"] == DRAFT.title
    assert view(told.one, BOOK, inside=False).severity_title == BOOK.severities["sev2"].title


def test_a_span_is_touched_by_what_hurt_within_it_as_it_was_known() -> None:
    told = Told()  # it began at 11:00; it is opened at 12:00
    told.resolve(Resolution(cause="Disk", resolved_at=NOW - HOUR / 2))  # said at 12:01
    before, during = Span(NOW - 3 * HOUR, NOW - HOUR), Span(NOW - HOUR, NOW - HOUR / 2)
    after = Span(NOW - HOUR / 2, NOW)
    late, early = NOW + HOUR, NOW + timedelta(seconds=1)
    assert known(told.acts, NOW, during) == ()  # nobody had said anything yet
    assert known(told.acts, late, before) == ()
    assert known(told.acts, late, during) == (told.one,)
    assert known(told.acts, late, after) == ()
    (open_,) = known(told.acts, early, after)
    assert (open_.resolved_at, open_.version) == (None, 1)


def test_of_several_the_earliest_comes_first() -> None:
    later = Told(structs.replace(DRAFT, began_at=NOW), "inc_0")
    found = known([*later.acts, *Told().acts], NOW + HOUR, Span(NOW - HOUR, NOW + HOUR))
    assert [one.id for one in found] == ["inc_1", "inc_0"]


texts = st.text(st.characters(exclude_categories=["C"]), min_size=1).filter(str.strip)


@given(
    title=texts.filter(str.isprintable),
    cause=texts.filter(str.isprintable),
    severity=st.sampled_from(Severity),
    services=st.lists(st.sampled_from(Service), min_size=1),
    began=st.timedeltas(timedelta(0), timedelta(days=30)),
    stage=st.sampled_from(open_stages(BOOK)),
)
def test_the_entries_alone_give_every_fact_back(
    title: str,
    cause: str,
    severity: Severity,
    services: list[Service],
    began: timedelta,
    stage: Stage,
) -> None:
    draft = Draft(
        title=title[:200], severity=severity, services=services, began_at=NOW - began, alert="alr_1"
    )
    told = Told(draft)
    told.change(stage=stage)
    told.resolve(Resolution(cause=cause[:4_000]))
    entries = [Entry.decode(entry_of(act, "digest").canonical) for act in told.acts]
    assert all(map(is_of_incident, entries))
    assert [act_of(entry) for entry in entries] == told.acts
    span = Span(NOW - timedelta(days=31), NOW + HOUR)
    assert known(map(act_of, entries), NOW + HOUR, span) == (told.one,)


def test_other_entries_say_nothing_and_a_broken_one_is_named() -> None:
    entry = entry_of(Told().acts[0], "digest")
    for other in ({"tenant": "tnt_1"}, {"kind": Kind.TASK}, {"detail": {"act": "key.revoke"}}):
        assert not is_of_incident(structs.replace(entry, **other))
    broken = structs.replace(entry, detail={"act": "incident.open"})
    with pytest.raises(EntryUnreadable, match="ent_0 says nothing of an incident"):
        act_of(broken)
    empty = structs.replace(entry, detail={"act": "incident.open", "ordinal": "1"})
    with pytest.raises(EntryUnreadable, match="ent_0 says no incident"):
        applied(None, act_of(empty))
