"""The table of routes: what it finds, and what slips through no gap of it."""

import pytest

from ai_agent_mesh.api.table import ROUTES, Table, counted, inner_path


def test_every_row_is_found_by_its_own_path() -> None:
    table = Table()
    for route in ROUTES:
        path = route.inner.replace("{", "").replace("}", "")
        assert table.match(route.method, path).route is route


@pytest.mark.parametrize(
    "path", ["//v1/agents", "/v1//agents", "/v1/agents/", "/v1/agents//-/invoke", "/v1//", "/v1"]
)
def test_an_empty_segment_names_nothing(path: str) -> None:
    assert counted(path)
    assert Table().match("GET", path).route is None


@pytest.mark.parametrize("path", ["/", "/status", "/v10", "/v1x/agents", "//status", "/api/v1"])
def test_what_is_no_call_is_not_counted(path: str) -> None:
    assert not counted(path)


def test_a_verb_belongs_to_the_last_segment_alone() -> None:
    assert inner_path("/v1/a:b/c") == "/v1/a:b/c"
    assert inner_path("/v1/a:b") == "/v1/a/-/b"


@pytest.mark.parametrize("path", ["/v1/agents/x/-/invoke", "/v1/agents/-/-/invoke", "/v1/-/x:y"])
def test_a_verb_is_written_with_its_colon(path: str) -> None:
    assert counted(path)
    assert Table().match("POST", inner_path(path)).route is None
