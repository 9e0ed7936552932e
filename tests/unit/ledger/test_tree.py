"""The tree is RFC 6962's: held against the vectors of the certificate-transparency project."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.evidence.tree import (
    Paths,
    includes,
    leaf_data,
    leaf_hash,
    node_hash,
    root,
)

# google/certificate-transparency, merkle_tree_test: eight inputs and the root of each prefix.
INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

leaves = st.lists(st.binary(max_size=8).map(leaf_hash), min_size=1, max_size=70)


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_are_reached(size: int) -> None:
    assert root(leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]).hex() == ROOTS[size]


def split_root(level: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(level) == 1:
        return level[0]
    k = 1 << (len(level) - 1).bit_length() - 1
    return node_hash(split_root(level[:k]), split_root(level[k:]))


@given(leaves)
def test_pairing_gives_the_same_root_as_the_recursive_definition(level: list[bytes]) -> None:
    assert root(level) == split_root(level)


@given(leaves, st.data())
def test_every_leaf_is_proven_by_its_path(level: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(level) - 1))
    path = Paths(level).to(index)
    assert includes(root(level), index, len(level), level[index], path)


@given(leaves, st.data())
def test_no_path_proves_what_is_not_there(level: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(level) - 1))
    path, size = Paths(level).to(index), len(level)
    whole = root(level)
    assert not includes(whole, index, size, leaf_hash(b"something else"), path)
    assert not includes(whole, index, size, level[index], [*path, bytes(32)])
    assert not includes(whole, size, size, level[index], path)
    if path:
        assert not includes(whole, index, size, level[index], path[:-1])
        assert not includes(whole, index, size, level[index], [bytes(32), *path[1:]])


def test_a_leaf_commits_to_both_numbers_and_to_the_bytes() -> None:
    digest = sha256(b"entry").digest()
    assert leaf_data(1, 2, digest) == bytes(7) + b"\x01" + bytes(7) + b"\x02" + digest
    different = {leaf_data(1, 2, digest), leaf_data(2, 1, digest), leaf_data(1, 2, bytes(32))}
    assert len(different) == 3


def test_there_is_no_path_to_a_leaf_outside_the_tree() -> None:
    with pytest.raises(IndexError):
        Paths([bytes(32)]).to(1)
