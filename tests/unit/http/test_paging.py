"""Pages and their cursors, without a server."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.plumbing.http import page_of, paged
from ai_agent_mesh.plumbing.http.paging import MalformedPage, Page


@given(
    st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=200), st.integers(1, 9)
)
def test_a_cursor_comes_back_as_the_key_it_was_made_of(key: str, limit: int) -> None:
    page = paged([key] * (limit + 1), Page(limit), str)
    assert page.next_cursor is not None
    assert page_of(limit, page.next_cursor) == Page(limit, key)


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(MalformedPage):
        page_of(cursor=text)


@given(st.binary(max_size=60))
def test_made_up_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedPage):
        page_of(cursor=base64.urlsafe_b64encode(raw).decode().rstrip("="))


def test_the_last_page_has_no_cursor() -> None:
    assert paged(["a", "b"], Page(2), str).next_cursor is None
    assert paged([], Page(2), str).next_cursor is None
