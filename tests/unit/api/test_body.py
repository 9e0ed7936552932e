"""What a body is refused for, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.api.body import DEEPEST, _deep

JSON = st.recursive(
    st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
def test_an_ordinary_document_is_not_deep(value: object) -> None:
    import json

    assert not _deep(json.dumps([value] * 3).encode())


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_depth_is_counted_where_it_is(opening: bytes) -> None:
    levels = opening.count(b"[") + opening.count(b"{")
    assert not _deep(opening * (DEEPEST // levels))
    assert _deep(opening * (DEEPEST // levels + 1))


def test_brackets_within_strings_count_for_nothing() -> None:
    assert not _deep(b'["' + b"[{" * 10_000 + b'\\"[[[["]')
    assert _deep(b'["\\\\"' + b"[" * DEEPEST)


def test_many_lists_side_by_side_are_not_deep() -> None:
    assert not _deep(b"[" + b",".join([b"[[]]"] * 1_000_000) + b"]")
