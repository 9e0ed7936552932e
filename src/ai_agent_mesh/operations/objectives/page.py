"""A statement as one HTML file that prints well, carries its evidence, and checks itself."""

import base64
import gzip
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files

from markupsafe import Markup

from ai_agent_mesh.operations.objectives.templates import templates
from ai_agent_mesh.operations.statements import CAUSES, Signature, Statement

#: More entries than this stay in the bundle; the page then carries the signed minutes alone.
CARRIED_ENTRIES = 20_000

_PACKAGE = "ai_agent_mesh.operations.objectives"
_STYLE = (files(_PACKAGE) / "document" / "statement.css").read_text()
#: The parts of the script that checks the page: one stands on those before it.
_PARTS = (
    "proofs", "figures", "findings", "shapes", "counting",
    "judging", "stating", "premises", "sections", "reading", "verdict",
)  # fmt: skip
SCRIPT = "\n".join(
    (files(_PACKAGE) / "document" / "verify" / f"{part}.mjs").read_text() for part in _PARTS
)


def as_page(statement: Statement, bundle: Iterable[bytes]) -> str:
    """Return the page of a signed statement with the bundle that proves it."""
    signature = statement.signature
    if not isinstance(signature, Signature):
        raise TypeError("only a signed statement has a page")
    packed = gzip.compress(b"".join(bundle), mtime=0)
    return (
        templates()
        .get_template("statement.html")
        .render(
            one=statement,
            moment=_moment,
            causes=_causes,
            methods=list(
                dict.fromkeys(f"{p.method}: {p.method_in_words}" for p in statement.parts)
            ),
            signature=base64.b64encode(signature.value).decode(),
            policy=POLICY,
            # Our own files, and base64: nothing in them that a page would read as its end.
            style=Markup(_STYLE),  # noqa: S704
            script=Markup(SCRIPT),  # noqa: S704
            evidence=Markup(base64.b64encode(packed).decode()),  # noqa: S704
        )
        .lstrip()
    )


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


#: Nothing from elsewhere, and of our own only this very script and style.
POLICY = (
    f"default-src 'none'; script-src {_hashed(SCRIPT)}; style-src {_hashed(_STYLE)}; "
    "base-uri 'none'; form-action 'none'"
)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _causes(names: Sequence[str]) -> str:
    return " and ".join(CAUSES[name] for name in names)
