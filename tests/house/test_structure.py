"""The house's rules, held by a machine: its floors, its sizes, its names, its one route table."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_agent_mesh.api.app import MODULES, handlers
from ai_agent_mesh.api.table import ROUTES, Table, counted

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ai_agent_mesh"
FORBIDDEN = {"utils", "util", "helpers", "common", "base", "manager", "misc"}


def sources() -> list[Path]:
    """Return every source file of the product."""
    return sorted(SOURCE.rglob("*.py"))


def test_imports_point_downward_only() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_outgrows_its_name() -> None:
    trees = ("src", "tests", "benchmarks", "examples")
    written = {".py", ".mjs", ".js", ".html", ".css", ".sh"}
    files = [f for tree in trees for f in (ROOT / tree).rglob("*") if f.suffix in written]
    sizes = {path: len(path.read_text().splitlines()) for path in files}
    assert {str(p.relative_to(ROOT)): n for p, n in sizes.items() if n > 300} == {}


def test_every_module_says_what_it_knows() -> None:
    silent = [p for p in sources() if ast.get_docstring(ast.parse(p.read_text())) is None]
    assert silent == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert [p for p in sources() if {*p.relative_to(SOURCE).parts, p.stem} & FORBIDDEN] == []


def faces_broken() -> Iterator[str]:
    """Yield every import that reaches into another capability past its face."""
    floors = ("product", "operations")
    for path in sources():
        here = path.relative_to(SOURCE).parts
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            parts = node.module.split(".")
            if len(parts) < 4 or parts[0] != "ai_agent_mesh" or parts[1] not in floors:
                continue
            door = here[0] in {"api", "worker", "web", "cli"} and parts[3] in {"routes", "jobs"}
            if (parts[1], parts[2]) != here[:2] and not door:
                yield f"{'/'.join(here)}: {node.module}"


def test_a_capability_is_reached_through_its_face() -> None:
    assert list(faces_broken()) == []


def mounted() -> set[tuple[str, str]]:
    """Return the method and inner path of every API call that the capabilities define."""
    return {
        (str(method), "/".join(plain(part) for part in path.split("/")))
        for module in MODULES
        for handler in handlers(module)
        for method in getattr(handler, "http_methods", ())
        for path in handler.paths
        if counted(path) and method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    }


def plain(part: str) -> str:
    """Return a path's segment without the type of its parameter."""
    return "{" + part[1:-1].partition(":")[0] + "}" if part.startswith("{") else part


def test_the_route_table_and_the_routes_are_the_same() -> None:
    assert {(route.method, route.inner) for route in ROUTES} == mounted()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_route_is_found_by_its_own_path(route: object) -> None:
    assert isinstance(route, type(ROUTES[0]))
    filled = "/".join("x" if p.startswith("{") else p for p in route.inner.split("/"))
    assert Table().match(route.method, filled).route == route
