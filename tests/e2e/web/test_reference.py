"""The reference names every route, and what it tells callers to send is what the door takes."""

import html
import re
from html.parser import HTMLParser

import httpx
import msgspec
import pytest
from tests.e2e.conftest import Stack

from ai_agent_mesh.api.examples import BODIES, YAML
from ai_agent_mesh.api.table import ROUTES, Route
from ai_agent_mesh.kernel.ids import new_id
from ai_agent_mesh.operations.amendments import AmendmentDraft
from ai_agent_mesh.operations.incidents import Change, Resolution
from ai_agent_mesh.operations.incidents import Draft as Incident
from ai_agent_mesh.operations.planned import Draft
from ai_agent_mesh.product.identity.views import NewTenant, TenantChange

#: Ids that could be, of things that are not there.
PLACES = {
    "user_id": new_id("usr"), "agent_id": new_id("agt"), "approval_id": new_id("apr"),
    "name": "nowhere",
}  # fmt: skip
OPERATORS = {
    "POST /v1/tenants": NewTenant,
    "PATCH /v1/tenants/{tenant_id}": TenantChange,
    "POST /v1/amendments": AmendmentDraft,
    "POST /v1/maintenance": Draft,
    "POST /v1/incidents": Incident,
    "PATCH /v1/incidents/{incident_id}": Change,
    "POST /v1/incidents/{incident_id}:resolve": Resolution,
}
WITH_BODY = [route for route in ROUTES if route.name in BODIES.keys() - OPERATORS.keys()]


class Text(HTMLParser):
    """Holds that every element that is opened is closed, and collects the code of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.code: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        assert tag not in {"script", "style"}
        assert not any(name == "style" or name.startswith("on") for name, _ in attrs)
        if tag not in {"meta", "link", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what is code."""
        if "code" in self.open:
            self.code.append(data)


async def test_the_reference_shows_every_route_with_a_request_to_copy(stack: Stack) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(stack.docs)
    page = Text()
    page.feed(answer.text)
    assert page.open == []
    for route in ROUTES:
        assert route.template in page.code, route.name
        request = f"curl '{stack.api}{route.template}'"
        if route.method != "GET":
            request = request.replace("curl", f"curl -X {route.method}")
        assert any(code.startswith(request) for code in page.code), route.name
    anchors = set(re.findall(r'id="([^"]+)"', answer.text))
    assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= anchors
    assert "Request fulfilled" not in html.unescape(answer.text)


async def test_every_route_and_parameter_says_what_it_is(stack: Stack) -> None:
    async with httpx.AsyncClient() as client:
        document = (await client.get(f"{stack.api}/openapi.json")).json()
    assert document["servers"] == [{"url": stack.api}]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            for parameter in operation.get("parameters", []):
                assert parameter["description"], (method, path, parameter["name"])
            if method in {"post", "put", "patch"} and "requestBody" in operation:
                content = operation["requestBody"]["content"]
                assert any("example" in told for told in content.values()), (method, path)


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: str(route.name))
async def test_an_example_is_understood_by_the_door(stack: Stack, route: Route) -> None:
    path = route.template.format(**PLACES)
    async with stack.client() as client:
        answer = await client.request(
            route.method, path, json=BODIES[route.name], headers={"If-Match": '"1"'}
        )
    assert answer.status_code in {200, 201, 202, 404, 412, 502}, answer.text


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operators_example_is_understood(name: str) -> None:
    msgspec.convert(BODIES[name], OPERATORS[name])


async def test_the_example_of_a_workflow_is_a_definition(stack: Stack) -> None:
    async with stack.client() as client:
        answer = await client.post("/v1/workflows", content=YAML["POST /v1/workflows"])
    assert answer.status_code in {200, 201}, answer.text
