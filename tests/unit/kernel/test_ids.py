"""Ids sort as they were made, and are what their specification says."""

import uuid

import pytest

from ai_agent_mesh.kernel.ids import MalformedId, check_id, new_id

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def value_of(text: str) -> uuid.UUID:
    """Read the 26 digits back as the outsider's specification says."""
    number = 0
    for digit in text.partition("_")[2]:
        number = number << 5 | DIGITS.index(digit)
    return uuid.UUID(int=number)


def test_an_id_is_a_uuid_of_version_7_with_the_present_millisecond() -> None:
    import time

    before = time.time_ns() // 1_000_000
    made = value_of(new_id("agt"))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_made_within_one_millisecond_keep_their_order() -> None:
    out_of_order = 0
    for _ in range(200):
        first, second = new_id("agt"), new_id("agt")
        out_of_order += first >= second
    assert out_of_order == 0


@pytest.mark.parametrize("text", ["", "agt_", "agt_1", "run_" + "0" * 26, "agt_" + "8" * 26])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(MalformedId):
        check_id("agt", text)
