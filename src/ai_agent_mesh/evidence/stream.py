"""The acts that announce and call off, as one stream: numbered, each bound to all before it.

An act says its place, and the running hash over the acts before it. So none can be left out, put
elsewhere or changed once another has followed; and whoever states how many there were and what the
hash over them is, has said which.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from ai_agent_mesh.evidence.entry import PLATFORM_TENANT, Entry, Kind

#: What `detail.act` of an announcement and of a cancellation says.
ANNOUNCED = "maintenance.announce"
CANCELLED = "maintenance.cancel"


class Numbered(NamedTuple):
    """An entry, its number in its tenant's ledger, SHA-256 of its bytes, and its batch's moment."""

    number: int
    entry: Entry
    digest: bytes
    signed_at: datetime | None = None


class Link(NamedTuple):
    """How far the stream has come: how many acts there were, and the running hash over them."""

    acts: int = 0
    hash: bytes = bytes(32)

    def followed(self, digest: bytes) -> "Link":
        """Return the link after one more act, by SHA-256 of its bytes.

        >>> Link().followed(bytes(32)).hash.hex()[:16]
        'f5a5fd42d16a2030'
        """
        return Link(self.acts + 1, sha256(self.hash + digest).digest())

    @property
    def facts(self) -> Mapping[str, str]:
        """Return what the act that follows says of its place."""
        return {"ordinal": str(self.acts + 1), "previous": base64.b64encode(self.hash).decode()}


def is_evidence(entry: Entry) -> bool:
    """Tell whether an entry says anything of maintenance. Such entries concern every tenant."""
    return (
        entry.tenant == PLATFORM_TENANT
        and entry.kind is Kind.ACT
        and entry.detail.get("act") in {ANNOUNCED, CANCELLED}
    )


def link_of(acts: Iterable[Numbered]) -> Link:
    """Return where the stream stands after these acts, which are all from the first on."""
    link = Link()
    for act in acts:
        link = link.followed(act.digest)
    return link


def breaks(acts: Iterable[Numbered]) -> Iterator[tuple[str, str]]:
    """Yield where acts do not follow from each other: the place that is amiss, and why.

    Acts from before there was a stream say nothing of their place; the first one that does is
    bound to all of them.
    """
    link, begun = Link(), False
    for act in acts:
        said, due = act.entry.detail, link.facts
        ordinal = said.get("ordinal")
        if ordinal is None:
            if begun:
                yield act.entry.id, "it says nothing of its place among the acts"
        elif ordinal != due["ordinal"]:
            reason = f"{act.entry.id} comes in its place, and is act {ordinal[:20]}"
            yield f"act {due['ordinal']}", reason
        elif said.get("previous") != due["previous"]:
            yield act.entry.id, "the acts before it are not those that it followed"
        begun |= ordinal is not None
        link = link.followed(act.digest)
