"""The HTTP kit: problem details, paging, entity tags, the unit of work of one request."""

from ai_agent_mesh.plumbing.http.etags import PreconditionFailed, PreconditionRequired, require, tag
from ai_agent_mesh.plumbing.http.paging import Page, Paged, page_of, paged
from ai_agent_mesh.plumbing.http.parameters import Cursor, IfMatch, Limit, Work
from ai_agent_mesh.plumbing.http.problems import Problem, problem_of, status_of
from ai_agent_mesh.plumbing.http.unit import Unit

__all__ = [
    "Cursor",
    "IfMatch",
    "Limit",
    "Page",
    "Paged",
    "PreconditionFailed",
    "PreconditionRequired",
    "Problem",
    "Unit",
    "Work",
    "page_of",
    "paged",
    "problem_of",
    "require",
    "status_of",
    "tag",
]
