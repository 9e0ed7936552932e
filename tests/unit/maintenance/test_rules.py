"""When maintenance is excluded, what is said of it, and what its entries alone give."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ai_agent_mesh.evidence.stream import breaks
from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.maintenance import view
from ai_agent_mesh.operations.planned import (
    Draft,
    Link,
    Maintenance,
    MaintenanceInvalid,
    Numbered,
    Proof,
    State,
    as_of,
    drawn,
    excluded_spans,
    excludes,
    is_late,
    is_outside_window,
    link_of,
    state_of,
    verdict,
)
from ai_agent_mesh.operations.planned import evidence as entries
from ai_agent_mesh.operations.planned.rules import check_draft
from ai_agent_mesh.playbook import default
from ai_agent_mesh.product.ledger import Entry, EntryUnreadable, Kind
from ai_agent_mesh.sla import Service, minute_number

BOOK = default()
NOTICE = BOOK.maintenance.notice
SUNDAY = datetime(2026, 11, 29, 2, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TICK = timedelta.resolution


def work(
    since: datetime = SUNDAY,
    hours: float = 2,
    ahead: timedelta = NOTICE,
    services: frozenset[Service] | None = None,
    off: datetime | None = None,
) -> Maintenance:
    """Return maintenance announced so long before it starts, perhaps cancelled."""
    return Maintenance(
        id="mnt_1",
        title="Disks",
        description="",
        span=Span(since, since + timedelta(hours=hours)),
        services=services,
        announced=Proof(since - ahead, "ent_1", 7),
        cancelled=Proof(off, "ent_2", 9) if off else None,
    )


@pytest.mark.parametrize(("short", "excluded"), [(timedelta(0), True), (TICK, False)])
def test_exactly_the_notice_ahead_is_in_time_and_a_microsecond_less_is_late(
    short: timedelta, excluded: bool
) -> None:
    one = work(ahead=NOTICE - short)
    assert excludes(one, BOOK) is excluded
    assert is_late(one, BOOK) is not excluded
    assert ("will exclude" in verdict(one, BOOK)) is excluded
    assert ("will be judged" in verdict(one, BOOK)) is not excluded
    assert bool(excluded_spans([one], BOOK)) is excluded


def test_a_cancelled_one_excludes_nothing_whenever_it_was_cancelled() -> None:
    for off in (SUNDAY - timedelta(hours=1), SUNDAY + timedelta(hours=1)):
        one = work(off=off)
        assert not excludes(one, BOOK)
        assert excluded_spans([one], BOOK) == ()
        assert verdict(one, BOOK) == "Cancelled: it excludes nothing."
        assert not is_late(one, BOOK)


def test_a_playbook_may_say_that_maintenance_counts_like_any_other_time() -> None:
    measurement = structs.replace(BOOK.measurement, maintenance_excluded=False)
    strict = structs.replace(BOOK, measurement=measurement)
    assert not excludes(work(ahead=timedelta(days=60)), strict)
    assert verdict(work(), strict) == "Its minutes will be judged like any other."


@pytest.mark.parametrize(
    ("since", "hours", "outside"),
    [
        (SUNDAY, 4, False),
        (SUNDAY, 4.01, True),
        (SUNDAY - timedelta(minutes=1), 2, True),
        (SUNDAY + timedelta(days=1), 2, True),
    ],
)
def test_outside_the_usual_window_it_is_flagged_and_excludes_all_the_same(
    since: datetime, hours: float, outside: bool
) -> None:
    one = work(since, hours)
    assert is_outside_window(one, BOOK) is outside
    assert excludes(one, BOOK)
    assert ("Outside the usual window (Sundays" in view(one, BOOK, NOW).verdict) is outside


def test_named_services_alone_lose_their_minutes() -> None:
    one = work(services=frozenset({Service.API}))
    assert excluded_spans([one], BOOK, Service.API) == (
        range(minute_number(SUNDAY), minute_number(SUNDAY) + 120),
    )
    assert excluded_spans([one], BOOK, Service.TELEMETRY) == ()
    assert work().named == tuple(Service)


def test_where_it_stands_follows_the_clock() -> None:
    one = work()
    assert state_of(one, SUNDAY - TICK) is State.SCHEDULED
    assert state_of(one, SUNDAY) is State.IN_PROGRESS
    assert state_of(one, one.span.until - TICK) is State.IN_PROGRESS
    assert state_of(one, one.span.until) is State.COMPLETED
    assert state_of(work(off=NOW), NOW) is State.CANCELLED


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": " "}, "/title"),
        ({"title": "two\nlines"}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"description": "x" * 4_001}, "/description"),
        ({"until": SUNDAY}, "/until"),
        ({"until": SUNDAY - timedelta(hours=1)}, "/until"),
        ({"since": NOW - timedelta(days=2), "until": NOW}, "/until"),
        ({"until": SUNDAY + timedelta(days=400)}, "/until"),
        ({"services": []}, "/services"),
    ],
)
def test_a_draft_that_cannot_be_says_where(change: dict[str, object], place: str) -> None:
    draft = structs.replace(
        Draft(title="Disks", since=SUNDAY, until=SUNDAY + timedelta(hours=2)), **change
    )
    with pytest.raises(MaintenanceInvalid) as caught:
        check_draft(draft, NOW)
    assert [fault.place for fault in caught.value.faults] == [place]


def test_what_has_begun_may_still_be_announced_and_is_late() -> None:
    begun = Draft(title="Now", since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=1))
    check_draft(begun, NOW)


def test_a_statement_knows_what_was_known_when_it_was_computed() -> None:
    told, off = SUNDAY - NOTICE, SUNDAY + timedelta(minutes=30)
    one, month = work(off=off), Span(SUNDAY - timedelta(days=28), SUNDAY + timedelta(days=2))
    assert as_of([one], told, month) == ()
    assert as_of([one], told + TICK, month) == (work(),)
    assert as_of([one], off, month) == (work(),)
    assert as_of([one], off + TICK, month) == (one,)
    assert as_of([one], off + TICK, Span(one.span.until, month.until)) == ()


def numbered(number: int, entry: Entry) -> Numbered:
    """Return an entry as the ledger has it, and read back from its bytes."""
    raw = entry.canonical
    return Numbered(number, Entry.decode(raw), sha256(raw).digest())


moments = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda after: NOW + after)


@given(
    since=moments,
    length=st.timedeltas(TICK, timedelta(days=40)),
    told=moments,
    off=st.none() | moments,
    services=st.none() | st.frozensets(st.sampled_from(list(Service)), min_size=1),
    text=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_the_entries_alone_give_every_fact_back(
    since: datetime,
    length: timedelta,
    told: datetime,
    off: datetime | None,
    services: frozenset[Service] | None,
    text: str,
) -> None:
    proofs = Proof(told, "ent_1", 7), Proof(off, "ent_2", 9) if off else None
    one = Maintenance("mnt_1", text, text, Span(since, since + length), services, *proofs)
    written = [entries.announced(one, "usr_1", "digest", Link())]
    if one.cancelled:
        link = Link().followed(sha256(written[0].canonical).digest())
        written.append(entries.cancelled(one, one.cancelled, "usr_1", "digest", link))
    read = [numbered(n, entry) for n, entry in zip((7, 9), written, strict=False)]
    assert drawn(read) == (one,)
    assert drawn(read[:1]) == (replace(one, cancelled=None),)
    assert list(breaks(read)) == []


def test_other_entries_announce_nothing_and_a_broken_one_is_named() -> None:
    one = entries.announced(work(), "usr_1", "digest", Link())
    other = structs.replace(one, tenant="tnt_1")
    call = structs.replace(one, kind=Kind.TASK)
    assert drawn([numbered(1, other), numbered(2, call)]) == ()
    broken = structs.replace(one, detail={"act": "maintenance.announce"})
    with pytest.raises(EntryUnreadable, match="ent_1 announces no maintenance"):
        drawn([numbered(1, broken)])


def acts(count: int, *, silent: int = 0) -> list[Numbered]:
    """Return acts that follow from each other; the first `silent` say nothing of their place."""
    link, found = Link(), []
    for n in range(1, count + 1):
        made = entries.announced(work(), "usr_1", "digest", link)
        if n <= silent:
            said = {k: v for k, v in made.detail.items() if k not in ("ordinal", "previous")}
            made = structs.replace(made, detail=said)
        found.append(numbered(n, structs.replace(made, id=f"ent_{n}")))
        link = link.followed(found[-1].digest)
    return found


@pytest.mark.parametrize("silent", [0, 2, 4])
def test_acts_that_follow_from_each_other_do_not_break(silent: int) -> None:
    assert list(breaks(acts(4, silent=silent))) == []
    assert link_of(acts(4, silent=silent)).acts == 4


def test_an_act_that_is_left_out_or_moved_or_changed_is_named_by_those_after_it() -> None:
    one, two, three, four = acts(4)
    assert next(breaks([one, three, four]))[0] == "act 2"
    assert "ent_3 comes in its place, and is act 3" in next(breaks([one, three, four]))[1]
    assert next(breaks([two, three]))[0] == "act 1"
    assert next(breaks([one, three, two, four]))[0] == "act 2"
    another = two._replace(digest=bytes(32))
    assert [place for place, _ in breaks([one, another, three, four])] == ["ent_3", "ent_4"]
    # What nothing follows yet is missed by whoever said how far it had come.
    assert list(breaks([one, two, three])) == []
    assert link_of([one, two, three]) != link_of([one, two, three, four])


def test_what_was_done_before_there_was_a_stream_is_bound_by_the_first_that_followed() -> None:
    one, two, three = acts(3, silent=2)
    assert [place for place, _ in breaks([two, one, three])] == ["ent_3"]
    assert [place for place, _ in breaks([one, three])] == ["act 2"]
    # Once there is one, nothing is done beside it.
    (beside,) = acts(1, silent=1)
    assert [place for place, _ in breaks([one, two, three, beside])] == ["ent_1"]
