"""The HTTP kit: problem details, paging, entity tags, the unit of work of one request."""

from typing import TYPE_CHECKING

from ai_agent_mesh.plumbing.http.etags import PreconditionFailed, PreconditionRequired, require, tag
from ai_agent_mesh.plumbing.http.paging import Page, Paged, page_of, paged
from ai_agent_mesh.plumbing.http.problems import Problem, problem_of, status_of
from ai_agent_mesh.plumbing.http.stream import Stream
from ai_agent_mesh.plumbing.http.unit import Unit

if TYPE_CHECKING:
    from ai_agent_mesh.plumbing.http.parameters import Cursor, IfMatch, Limit, Work

__all__ = [
    "Cursor",
    "IfMatch",
    "Limit",
    "Page",
    "Paged",
    "PreconditionFailed",
    "PreconditionRequired",
    "Problem",
    "Stream",
    "Unit",
    "Work",
    "page_of",
    "paged",
    "problem_of",
    "require",
    "status_of",
    "tag",
]


def __getattr__(name: str) -> object:
    """Bring in the parameters of routes, and the web framework with them, when a route asks.

    Commands and workers use the rest of this kit and need no framework, which takes a third of a
    second to import.
    """
    if name not in __all__:
        raise AttributeError(name)
    from ai_agent_mesh.plumbing.http import parameters

    return getattr(parameters, name)
