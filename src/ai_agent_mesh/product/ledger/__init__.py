"""The ledger: every call leaves one entry, numbered without a gap, added up and signed."""

from ai_agent_mesh.evidence.audit import Check, Failure, Report
from ai_agent_mesh.evidence.batch import Batch
from ai_agent_mesh.evidence.entry import (
    Entry,
    EntryUnreadable,
    Kind,
    MalformedReceipt,
    Receipt,
)
from ai_agent_mesh.product.ledger.context import acts, turns
from ai_agent_mesh.product.ledger.evidence import Evidence
from ai_agent_mesh.product.ledger.export import export, proven
from ai_agent_mesh.product.ledger.facts import LedgerUnavailable
from ai_agent_mesh.product.ledger.governing import governing, playbook_text
from ai_agent_mesh.product.ledger.heads import tenant_head
from ai_agent_mesh.product.ledger.inbox import Inbox
from ai_agent_mesh.product.ledger.sequencer import Fenced, Sequencer
from ai_agent_mesh.product.ledger.service import Evident, Ledger
from ai_agent_mesh.product.ledger.spool import Spool
from ai_agent_mesh.product.ledger.store import unnumbered
from ai_agent_mesh.product.ledger.verification import verify

__all__ = [
    "Batch",
    "Check",
    "Entry",
    "EntryUnreadable",
    "Evidence",
    "Evident",
    "Failure",
    "Fenced",
    "Inbox",
    "Kind",
    "Ledger",
    "LedgerUnavailable",
    "MalformedReceipt",
    "Receipt",
    "Report",
    "Sequencer",
    "Spool",
    "acts",
    "export",
    "governing",
    "playbook_text",
    "proven",
    "tenant_head",
    "turns",
    "unnumbered",
    "verify",
]
