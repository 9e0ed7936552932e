"""What the published document promises holds for requests that nobody thought of."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.e2e.conftest import Stack
from tests.e2e.crossing.conftest import PLAIN, Theirs, theirs

from ai_agent_mesh.api.table import ROUTES

__all__ = ["theirs"]

#: Operations that never go well here, and why.
UNFULFILLED = {
    "POST /v1/agents/{agent_id}:refresh": "the agent has no card",
    "POST /v1/agents/{agent_id}:invoke": "nobody listens there",
    "POST /v1/agents": "nobody listens at the example's address",
    "GET /v1/maintenance/{maintenance_id}": "none is announced",
    "GET /v1/incidents/{incident_id}": "none is open",
    "GET /v1/probe/runs/{run_id}": "is for the probe alone",
    "GET /v1/approvals/{approval_id}": "it went with the run, which was cancelled and resumed",
    "POST /v1/approvals/{approval_id}:approve": "the same",
    "POST /v1/approvals/{approval_id}:reject": "the same",
}
#: Requests an operation, the same ones each time: with every operation, well within a minute.
EXAMPLES = 8
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


#: An operation and a case of it; their type parameters are of no interest here.
Operation = schemathesis.APIOperation[Any, Any, Any, Any]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


def tried(
    operation: Operation, mode: schemathesis.GenerationMode, whose: Theirs, got: set[int]
) -> Callable[[], None]:
    """Return a function that sends what the document allows, or forbids, and judges each answer.

    What is allowed is said of objects that are there, as long as it does not delete them.
    """
    real = mode is schemathesis.GenerationMode.POSITIVE and operation.method != "delete"

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def once(case: Any) -> None:
        case.headers["Authorization"] = f"Bearer {whose.key}"
        if real:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = {**PLAIN, **whose.objects}[name]
        answer = case.call(timeout=20)
        got.add(answer.status_code)
        assert answer.status_code not in {500, 503}, (case.as_curl_command(), answer.text)
        # Of many strangers a second some are told by one entry that stands for all.
        assert "mesh-receipt" in answer.headers or answer.status_code == 401
        case.validate_response(answer, checks=CHECKS)

    return once


async def sound(client: httpx.AsyncClient, operation: Operation, whose: Theirs) -> int:
    """Send what the document gives as an example, about objects that are there."""
    path = operation.path.format(**{**PLAIN, **whose.objects})
    raw = cast("dict[str, Any]", operation.definition.raw)  # typed as anything or nothing
    kinds: dict[str, dict[str, Any]] = raw.get("requestBody", {}).get("content", {})
    kind, content = next(iter(kinds.items() or [("application/json", dict[str, Any]())]))
    example = content.get("example", {})
    body = example if isinstance(example, str) else json.dumps(example)
    headers = {"Content-Type": kind, "If-Match": "*"}
    sent = body if operation.method in {"post", "put", "patch"} else None
    answer = await client.request(operation.method.upper(), path, content=sent, headers=headers)
    return answer.status_code


async def test_no_request_fails_the_platform_or_gets_an_undocumented_answer(
    stack: Stack,
    theirs: Theirs,
) -> None:
    load_all_checks()
    document = await asyncio.to_thread(schemathesis.openapi.from_url, stack.api + "/openapi.json")
    wrong, count, unfulfilled = [], 0, set()
    for result in document.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr] # an error is raised by it
        count += 1
        got: set[int] = set()
        if operation.method != "delete":
            async with stack.client(theirs.key) as client:
                got.add(await sound(client, operation, theirs))
        for mode in MODES:
            try:
                await asyncio.to_thread(tried(operation, mode, theirs, got))
            except Unsatisfiable:
                assert mode is schemathesis.GenerationMode.NEGATIVE  # nothing here can be wrong
            except (AssertionError, FailureGroup) as error:
                wrong.append(f"{operation.label}, {mode}: {error}"[:1500])
        if not any(status < 400 for status in got) and operation.method != "delete":
            unfulfilled.add(operation.label)
    assert count == len(ROUTES)
    operators = {r.name for r in ROUTES if (r.permission or "").startswith("platform")}
    assert unfulfilled - operators <= set(UNFULFILLED)
    if wrong:
        pytest.fail("\n\n".join(wrong))
