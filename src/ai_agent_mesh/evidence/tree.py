"""Merkle trees as RFC 6962 section 2.1 defines them, and what a leaf of this ledger commits to."""

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256

_POSITION = struct.Struct(">QQ")


def leaf_data(seq: int, number: int, digest: bytes) -> bytes:
    """Return the 48 bytes that stand for an entry in its batch's tree.

    They are its global sequence number and its tenant's number, each as 8 big-endian bytes, then
    SHA-256 of its verbatim bytes. Committing to the digest and not to the bytes lets a receipt
    alone be proven, and lets a proof outlive the bytes when those may no longer be kept.

    >>> leaf_data(7, 2, bytes(32)).hex()[:32]
    '00000000000000070000000000000002'
    """
    return _POSITION.pack(seq, number) + digest


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes; of none, SHA-256 of nothing.

    Pairing level by level and carrying the odd one up gives the same tree as the RFC's split at
    the largest power of two, without recursion.

    >>> root([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    level = list(leaves)
    if not level:
        return sha256().digest()
    while len(level) > 1:
        level = _parents(level)
    return level[0]


class Growing:
    """A tree that grows leaf by leaf and gives its root at any size, in memory of its height."""

    def __init__(self) -> None:
        #: The perfect subtrees from the left, with their sizes: each at most half as large.
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Take the next leaf hash."""
        size, top = 1, leaf
        while self._peaks and self._peaks[-1][0] == size:
            size, top = 2 * size, node_hash(self._peaks.pop()[1], top)
        self._peaks.append((size, top))

    @property
    def root(self) -> bytes:
        """Return the root over all leaves so far.

        >>> tree, leaves = Growing(), [bytes([n]) * 32 for n in range(5)]
        >>> for leaf in leaves: tree.add(leaf)
        >>> tree.root == root(leaves)
        True
        """
        if not self._peaks:
            return sha256().digest()
        *left, (_, top) = self._peaks
        for _, peak in reversed(left):
            top = node_hash(peak, top)
        return top


class Paths:
    """The audit paths of a tree's leaves: each level is computed once, for however many."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    def to(self, index: int) -> list[bytes]:
        """Return the path of the leaf at `index`: sibling hashes, from the leaf to the root.

        Raises:
            IndexError: there is no such leaf.
        """
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(index)
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return path


def includes(expected: bytes, index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether `path` leads from the leaf hash at `index` of `size` to the expected root.

    The steps are those of RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    position, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and current == expected


def _parents(level: list[bytes]) -> list[bytes]:
    even = len(level) & ~1
    above = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, even, 2)]
    return above + level[even:]
