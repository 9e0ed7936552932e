"""What an operator asks to be corrected, and a correction as it is kept."""

from datetime import datetime
from typing import Annotated

import msgspec

from ai_agent_mesh.sla import Fault

EntryId = Annotated[str, msgspec.Meta(pattern=r"^ent_[0-9a-z]{26}\Z")]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class AmendmentDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which numbered call is to be corrected, to whose fault, and why."""

    entry: EntryId
    fault: Fault
    reason: Reason


class AmendmentView(msgspec.Struct, frozen=True, kw_only=True):
    """A correction: the call, what its fault was and is, and who says so."""

    #: The ledger entry that makes the correction.
    id: str
    tenant: str
    #: The corrected call's entry, and when it was completed.
    entry: str
    at: datetime
    was: Fault
    fault: Fault
    reason: str
    amended_at: datetime
    amended_by: str
