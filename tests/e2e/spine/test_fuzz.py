"""What the published document promises holds for requests that nobody thought of."""

import asyncio
from collections.abc import Callable
from typing import Any

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

#: Requests an operation, the same ones each time: with every operation, well within a minute.
EXAMPLES = 8
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


#: An operation and a case of it; their type parameters are of no interest here.
Operation = schemathesis.APIOperation[Any, Any, Any, Any]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


def tried(operation: Operation, mode: schemathesis.GenerationMode, key: str) -> Callable[[], None]:
    """Return a function that sends what the document allows, or forbids, and judges each answer."""

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
        case.headers["Authorization"] = f"Bearer {key}"
        answer = case.call(timeout=20)
        assert answer.status_code not in {500, 503}, (case.as_curl_command(), answer.text)
        # Of many strangers a second some are told by one entry that stands for all.
        assert "mesh-receipt" in answer.headers or answer.status_code == 401
        case.validate_response(answer, checks=CHECKS)

    return once


async def test_no_request_fails_the_platform_or_gets_an_undocumented_answer(stack: Stack) -> None:
    _, key = await stack.tenant_key("fuzzed", "enterprise")
    load_all_checks()
    document = await asyncio.to_thread(schemathesis.openapi.from_url, stack.api + "/openapi.json")
    wrong, count = [], 0
    for result in document.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr] # an error is raised by it
        count += 1
        for mode in MODES:
            try:
                await asyncio.to_thread(tried(operation, mode, key))
            except Unsatisfiable:
                assert mode is schemathesis.GenerationMode.NEGATIVE  # nothing here can be wrong
            except (AssertionError, FailureGroup) as error:
                wrong.append(f"{operation.label}, {mode}: {error}"[:1500])
    assert count > 50
    if wrong:
        pytest.fail("\n\n".join(wrong))
