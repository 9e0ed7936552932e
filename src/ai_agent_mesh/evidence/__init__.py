"""What a proof looks like and how it is checked: by anybody, with no database and no server."""

from ai_agent_mesh.evidence.amendment import Amendment, fault_after
from ai_agent_mesh.evidence.audit import Audit, Check, Failure, Report
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.entry import (
    PLATFORM_TENANT,
    PROBE_TENANT,
    Entry,
    EntryUnreadable,
    Kind,
    MalformedReceipt,
    Receipt,
)
from ai_agent_mesh.evidence.exchange import End, Header, Key, Line, audited
from ai_agent_mesh.evidence.fields import Moment, Whole
from ai_agent_mesh.evidence.grounds import Grounds, PlaybookText
from ai_agent_mesh.evidence.head import MinutesSeal, Signs, TenantHead, sealed
from ai_agent_mesh.evidence.rollup import Judged, Thresholds, judged, thresholds
from ai_agent_mesh.evidence.signature import key_id_of, verify
from ai_agent_mesh.evidence.stream import (
    ANNOUNCED,
    CANCELLED,
    Link,
    Numbered,
    is_evidence,
    link_of,
)
from ai_agent_mesh.evidence.tree import Growing, leaf_data, leaf_hash

__all__ = [
    "ANNOUNCED",
    "CANCELLED",
    "PLATFORM_TENANT",
    "PROBE_TENANT",
    "Amendment",
    "Audit",
    "Batch",
    "Check",
    "End",
    "Entry",
    "EntryUnreadable",
    "Failure",
    "Grounds",
    "Growing",
    "Header",
    "Judged",
    "Key",
    "Kind",
    "Line",
    "Link",
    "MalformedReceipt",
    "MinutesSeal",
    "Moment",
    "Numbered",
    "PlaybookText",
    "Receipt",
    "Report",
    "Signs",
    "TenantHead",
    "Thresholds",
    "Whole",
    "audited",
    "fault_after",
    "is_evidence",
    "judged",
    "key_id_of",
    "leaf_data",
    "leaf_hash",
    "link_of",
    "sealed",
    "thresholds",
    "verify",
]
