"""What may be subscribed, and how long a delivery is tried."""

from datetime import UTC, datetime, timedelta

import pytest

from ai_agent_mesh.operations.notices import Draft, Outcome, SubscriptionInvalid, Topic
from ai_agent_mesh.operations.notices.rules import (
    TRIES,
    TRY_S,
    WAITS,
    check_draft,
    due_after,
    settles,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)
FAILED = Outcome("it answered 500")


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example", "ftp://hooks.example", "http://", "http://a b", "http://[",
        "http://hooks.example:0", "https://me:secret@hooks.example", "http://x/" + "y" * 2_000,
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_is_named(url: str) -> None:
    with pytest.raises(SubscriptionInvalid) as caught:
        check_draft(Draft(url=url, topics=[Topic.MAINTENANCE]))
    assert {fault.place for fault in caught.value.faults} == {"/url"}


def test_a_subscription_names_a_topic() -> None:
    check_draft(Draft(url="https://hooks.example/x?y=1", topics=[Topic.MAINTENANCE]))
    with pytest.raises(SubscriptionInvalid) as caught:
        check_draft(Draft(url="https://hooks.example/", topics=[]))
    assert [fault.place for fault in caught.value.faults] == ["/topics"]


def test_a_claim_lasts_longer_than_a_try() -> None:
    for number in range(1, TRIES + 1):
        assert due_after(number, NOW) - NOW > 2 * timedelta(seconds=TRY_S)


def test_tries_end_with_success_with_gone_and_with_the_last() -> None:
    assert [settles(number, FAILED) for number in range(1, TRIES + 2)] == [
        *[False] * len(WAITS), True, True,
    ]  # fmt: skip
    assert settles(1, Outcome())
    assert settles(1, Outcome("it answered 410", gone=True))
