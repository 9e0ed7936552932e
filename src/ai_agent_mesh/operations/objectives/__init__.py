"""What was promised to each tenant and what was kept, read from the ledger; judging is `statements`'."""  # noqa: E501

from ai_agent_mesh.operations.objectives.bundling import Bundles
from ai_agent_mesh.operations.objectives.console import SLOS_STYLE, slos_fragment, slos_page
from ai_agent_mesh.operations.objectives.everybody import Everybody
from ai_agent_mesh.operations.objectives.page import as_page
from ai_agent_mesh.operations.objectives.service import Objectives, SpanAhead
from ai_agent_mesh.operations.objectives.standing import Standing, Standings
from ai_agent_mesh.operations.objectives.store import ObjectiveStore
from ai_agent_mesh.operations.objectives.windows import Window, forget_minutes, read_windows

__all__ = [
    "SLOS_STYLE",
    "Bundles",
    "Everybody",
    "ObjectiveStore",
    "Objectives",
    "SpanAhead",
    "Standing",
    "Standings",
    "Window",
    "as_page",
    "forget_minutes",
    "read_windows",
    "slos_fragment",
    "slos_page",
]
