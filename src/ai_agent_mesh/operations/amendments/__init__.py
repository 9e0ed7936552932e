"""Corrections by a person of whose fault a call was: an entry of its own, with author and reason."""  # noqa: E501

from ai_agent_mesh.operations.amendments.model import AmendmentDraft, AmendmentView
from ai_agent_mesh.operations.amendments.service import (
    AlreadySo,
    Amendments,
    CallMissing,
    PastCorrection,
    PlatformAlone,
)

__all__ = [
    "AlreadySo",
    "AmendmentDraft",
    "AmendmentView",
    "Amendments",
    "CallMissing",
    "PastCorrection",
    "PlatformAlone",
]
