"""Which names and texts may be a policy."""

import re
from collections.abc import Iterator

from cedarpy import pst

from ai_agent_mesh.kernel.errors import Fault
from ai_agent_mesh.product.governance.facts import PolicyInvalid
from ai_agent_mesh.product.governance.places import Finding, findings, parsed

LONGEST_TEXT = 20_000
LONGEST_DESCRIPTION = 1_000
MOST_POLICIES = 5_000
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
#: `/v1/policies/schema` is an address of its own.
_RESERVED = frozenset({"schema"})


def checked(name: str, text: str, description: str = "") -> pst.Template:
    """Return the one parsed statement of a policy.

    Raises:
        PolicyInvalid: with every fault; those of the text say line and column.
    """
    faults = [*_naming(name), *_lengths(text, description)]
    if not faults or len(text) <= LONGEST_TEXT:
        faults += [_fault(finding) for finding in findings(text)]
    template = None if faults else parsed(text)
    if template is not None and template.annotations.get("id", name) != name:
        faults.append(Fault("text", f"the annotation @id must be {name}, the policy's name"))
    if template is None or faults:
        raise PolicyInvalid(faults=faults)
    return template


def described(text: str) -> str:
    """Return the comment that a policy's text opens with, as one line.

    >>> described("// Nobody may\\n// call it.\\nforbid(principal, action, resource);")
    'Nobody may call it.'
    """
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").strip())
    return " ".join(lines)[:LONGEST_DESCRIPTION]


def version_of(cursor: str) -> int:
    """Return the version after which a page of a history begins.

    Raises:
        PolicyInvalid: the cursor is not one of a history.
    """
    if not re.fullmatch(r"[0-9]{1,18}", cursor):
        raise PolicyInvalid(faults=[Fault("cursor", "must be a next_cursor of this list")])
    return int(cursor)


def _naming(name: str) -> Iterator[Fault]:
    if not _NAME.fullmatch(name):
        yield Fault("name", "must be 1 to 64 lower-case letters, digits and inner hyphens")
    elif name in _RESERVED:
        yield Fault("name", f"{name} is reserved")


def _lengths(text: str, description: str) -> Iterator[Fault]:
    if len(text) > LONGEST_TEXT:
        yield Fault("text", f"must not be longer than {LONGEST_TEXT} characters")
    if len(description) > LONGEST_DESCRIPTION:
        yield Fault("description", f"must not be longer than {LONGEST_DESCRIPTION} characters")


def _fault(finding: Finding) -> Fault:
    return Fault(f"text:{finding.line}:{finding.column}", finding.message)
