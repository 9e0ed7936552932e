"""The service level document, written from the playbook's data alone."""

from collections.abc import Callable

from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.playbook.markdown.continuity import continuity
from ai_agent_mesh.playbook.markdown.incidents import incidents
from ai_agent_mesh.playbook.markdown.operations import changes, improvement, monitoring, support
from ai_agent_mesh.playbook.markdown.promises import promises
from ai_agent_mesh.playbook.markdown.resources import capacity, cost
from ai_agent_mesh.playbook.markdown.security import security
from ai_agent_mesh.playbook.schema import Playbook

_SECTIONS: tuple[tuple[str, Callable[[Playbook], str]], ...] = (
    ("Incidents", incidents),
    ("Recovery from disasters", continuity),
    ("Hardening", security),
    ("Monitoring and on call", monitoring),
    ("Changes", changes),
    ("Capacity", capacity),
    ("Cost", cost),
    ("Support", support),
    ("Improvement", improvement),
)


def markdown(playbook: Playbook, month: Month) -> str:
    """Return the whole document as Markdown, with the downtime that this month allows."""
    document = playbook.document
    parts = [
        f"# {document.product}: service levels and operations\n",
        (
            f"Version {document.version} of {document.updated.isoformat()}, kept by the "
            f"{document.owner} ({document.company}). Downtime is computed for {month} "
            f"({month.minutes:,} minutes).\n"
        ),
        f"## 1. Service levels\n\n{promises(playbook, month)}",
    ]
    parts += [
        f"## {index}. {heading}\n\n{write(playbook)}"
        for index, (heading, write) in enumerate(_SECTIONS, 2)
    ]
    return "\n".join(parts)
