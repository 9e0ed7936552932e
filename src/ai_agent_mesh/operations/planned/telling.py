"""What a ledger entry says of one subscriber having been told, and how that went."""

from dataclasses import dataclass
from datetime import datetime

from ai_agent_mesh.evidence import Entry, EntryUnreadable, Kind

TOPIC = "maintenance"


@dataclass(frozen=True, slots=True)
class Told:
    """The end of one delivery: of which notice, about which work, to whom, and its outcome."""

    #: The work that it was about.
    work: str
    #: Such as `maintenance.announced`.
    type: str
    #: `delivered` or `failed`.
    outcome: str
    at: datetime
    notice: str
    subscription: str
    host: str
    attempts: int
    doubtful_repeats: int
    reason: str | None
    #: The ledger entry of the subscriber's tenant, and its number there.
    entry: str
    number: int


def is_telling(entry: Entry) -> bool:
    """Tell whether an entry says how a notice about planned work was delivered."""
    return entry.kind is Kind.NOTICE and entry.detail.get("topic") == TOPIC


def telling(number: int, entry: Entry) -> Told:
    """Read such an entry.

    Raises:
        EntryUnreadable: it lacks a fact.
    """
    try:
        facts = entry.detail
        return Told(
            work=facts["about"],
            type=facts["type"],
            outcome=facts["notice"],
            at=entry.at,
            notice=entry.object or "",
            subscription=facts["subscription"],
            host=facts["host"],
            attempts=int(facts["attempts"]),
            doubtful_repeats=int(facts["doubtful_repeats"]),
            reason=facts.get("reason"),
            entry=entry.id,
            number=number,
        )
    except (KeyError, ValueError) as error:
        raise EntryUnreadable(reason=f"{entry.id} tells of no delivery: {error}") from error
