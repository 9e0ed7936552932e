"""How a page is rendered and what its headers forbid: scripts, frames, anything from elsewhere."""

from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response

from ai_agent_mesh.operations.objectives import SLOS_STYLE

STATIC = {
    "mesh.css": "text/css",  # the framework adds the charset
    "slos.css": "text/css",
    "mark.svg": "image/svg+xml",
}
CONTENT = {
    "slos.css": SLOS_STYLE.encode(),
    **{
        name: (files("ai_agent_mesh.web") / "static" / name).read_bytes()
        for name in ("mesh.css", "mark.svg")
    },
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_STYLE = sha256(CONTENT["mesh.css"] + CONTENT["slos.css"]).hexdigest()[:12]
_PAGES = Environment(
    loader=PackageLoader("ai_agent_mesh.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, *, max_age_s: int = 60, **values: object) -> Response[str]:
    """Return a template's page as an answer that may be kept for `max_age_s` seconds."""
    html = _PAGES.get_template(template).render(style=_STYLE, **values)
    headers = {**HEADERS, "Cache-Control": f"public, max-age={max_age_s}"}
    return Response(html, media_type="text/html", headers=headers)
