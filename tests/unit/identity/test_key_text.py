"""Keys as their holders write them."""

import string

from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.product.identity import key_text

PRINTABLE = string.digits + string.ascii_letters + string.punctuation + " "


def test_a_key_reads_back_as_it_was_drawn() -> None:
    for _ in range(200):
        drawn = key_text.draw(new_id("key"))
        assert key_text.read(drawn.text) == drawn
        assert len(drawn.text) == 81
        assert drawn.text.startswith("mesh_")


def test_no_two_keys_share_a_secret() -> None:
    key_id = new_id("key")
    assert len({key_text.draw(key_id).secret for _ in range(1000)}) == 1000


@given(st.integers(0, 80), st.sampled_from(PRINTABLE))
def test_any_single_mistyped_character_is_noticed(place: int, character: str) -> None:
    text = key_text.draw(new_id("key")).text
    mistyped = text[:place] + character + text[place + 1 :]
    assert (key_text.read(mistyped) is None) == (mistyped != text)


@given(st.integers(0, 79))
def test_two_characters_that_changed_places_are_noticed(place: int) -> None:
    text = key_text.draw(new_id("key")).text
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert (key_text.read(swapped) is None) == (swapped != text)


@given(st.one_of(st.none(), st.text(), st.text().map("Bearer {}".format), st.binary().map(str)))
def test_garbage_is_no_key_and_no_error(authorization: str | None) -> None:
    assert key_text.read_bearer(authorization) is None


def test_hostile_headers_are_no_key_and_no_error() -> None:
    text = key_text.draw(new_id("key")).text
    for header in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {text}",
        text,
        f"Bearer {text}\x00",
        f"Bearer {text}\n",
        f"Bearer {text} {text}",
        f"Bearer\t{text}",
        "Bearer " + "é" * 81,
        "Bearer " + text.replace("0", "０") + "０",
        "Bearer " + "m" * 10_000_000,
        "Bearer mesh_" + "z" * 26 + "_" + text[32:],
    ):
        assert key_text.read_bearer(header) is None, header[:100]


def test_the_scheme_may_be_written_in_any_case() -> None:
    drawn = key_text.draw(new_id("key"))
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert key_text.read_bearer(f"{scheme} {drawn.text}") == drawn
    assert key_text.read_bearer(f"Bearer   {drawn.text}  ") == drawn


def test_a_secret_stays_out_of_representations() -> None:
    drawn = key_text.draw(new_id("key"))
    assert drawn.secret not in repr(drawn)
