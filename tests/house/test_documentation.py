"""What the pages name is there: links, routes, commands, playbook keys, variables, folders."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_agent_mesh.api.table import ROUTES
from ai_agent_mesh.cli import COMMANDS
from ai_agent_mesh.playbook import default

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
each_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = (re.sub(r"[^a-z0-9 -]", "", head.lower()).strip() for head in heads)
    return {head.replace(" ", "-") for head in plain}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, _, anchor in re.findall(r"\]\(([^)#\s]*)(#([^)\s]*))?\)", page.read_text()):
        if target.startswith("http"):
            continue
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), f"{target}#{anchor}"


@each_page
def test_every_route_named_is_in_the_table(page: Path) -> None:
    known = {(route.method, shape(route.template)) for route in ROUTES}
    for method, path in re.findall(
        r"\b(GET|POST|PUT|PATCH|DELETE) (/v1[^\s`?)\"]*)", page.read_text()
    ):
        assert (method, shape(path)) in known, f"{method} {path}"


@each_page
def test_every_command_named_is_one(page: Path) -> None:
    text = page.read_text()
    typed = "\n".join(re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    words = re.findall(r"(?:`|^ {4})mesh ([a-z]+)", text, re.MULTILINE)
    for word in words + re.findall(r"^(?:\$ )?mesh ([a-z]+)", typed, re.MULTILINE):
        assert word in COMMANDS, word


@each_page
def test_every_playbook_key_named_exists(page: Path) -> None:
    known = set(keys(default(), ""))
    for key in re.findall(r"`((?:measurement|keys|limits)(?:\.[a-z_]+)+)`", page.read_text()):
        assert key in known, key


@each_page
def test_no_page_knows_a_machine(page: Path) -> None:
    assert not re.search(r"(?<![\w.}/])/(?:work|tmp|root|home|opt)/", page.read_text())


def test_running_it_names_every_variable_of_the_environment() -> None:
    read = (ROOT / "src/ai_agent_mesh/settings.py").read_text()
    told = (ROOT / "docs/operate.md").read_text()
    for name in set(re.findall(r'"((?:MESH|DATABASE|REDIS|OTEL)_[A-Z_]+)"', read)):
        assert f"`{name}`" in told, name


def shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def keys(value: object, place: str) -> Iterator[str]:
    """Yield the dotted place of everything below a value of the playbook."""
    for name in getattr(value, "__struct_fields__", ()):
        below = f"{place}.{name}" if place else str(name)
        yield below
        yield from keys(getattr(value, name), below)
