"""The objectives of a month as a page: figures, and drawings that can be read without colour."""

from ai_agent_mesh.operations.objectives.console.page import (
    SLOS_POLICY,
    SLOS_STYLE,
    slos_fragment,
    slos_page,
)

__all__ = ["SLOS_POLICY", "SLOS_STYLE", "slos_fragment", "slos_page"]
