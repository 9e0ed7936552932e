"""What a proof looks like and how it is checked: by anybody, with no database and no server."""

from ai_agent_mesh.evidence.audit import Audit, Check, Failure, Report
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.entry import Entry, EntryUnreadable, Kind, MalformedReceipt, Receipt
from ai_agent_mesh.evidence.exchange import End, Header, Key, Line, audited
from ai_agent_mesh.evidence.signature import key_id_of, verify

__all__ = [
    "Audit",
    "Batch",
    "Check",
    "End",
    "Entry",
    "EntryUnreadable",
    "Failure",
    "Header",
    "Key",
    "Kind",
    "Line",
    "MalformedReceipt",
    "Receipt",
    "Report",
    "audited",
    "key_id_of",
    "verify",
]
