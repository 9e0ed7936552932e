"""Exercises each service through the public door, as a caller from outside would."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import httpx
import msgspec
import structlog

from ai_agent_mesh.kernel.clock import Clock
from ai_agent_mesh.operations.probe.model import Finding
from ai_agent_mesh.operations.probe.rules import DEFINITION, QUESTION, WORKFLOW, next_try
from ai_agent_mesh.sla import Service

log = structlog.get_logger(__name__)


class Probe:
    """Tries the services at one address, over and over.

    `client` knows the address and carries the probe's key. What was found is booked by the door
    that was knocked at, not here: where nothing arrives, the silence is the finding.
    """

    def __init__(self, client: httpx.AsyncClient, interval: timedelta, clock: Clock) -> None:
        self._client = client
        self._interval = interval
        self._clock = clock
        self._last: dict[Service, Finding] = {}
        self._tries: Mapping[Service, Callable[[], Awaitable[str | None]]] = {
            Service.API: self._api,
            Service.ORCHESTRATION: self._orchestration,
            Service.GOVERNANCE: self._governance,
            Service.TELEMETRY: self._telemetry,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Try every service at each interval until `stop` is set; then end at once."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._watch(service)) for service in self._tries]
            await stop.wait()
            for task in tasks:
                task.cancel()

    async def once(self) -> list[Finding]:
        """Try every service once, all at the same time."""
        return list(await asyncio.gather(*(self._try(service) for service in self._tries)))

    async def _watch(self, service: Service) -> None:
        """One try after the other: one that takes too long makes the next one drop out."""
        while True:
            due = next_try(self._clock.now(), self._interval)
            await asyncio.sleep((due - self._clock.now()).total_seconds())
            self._note(await self._try(service))

    async def _try(self, service: Service) -> Finding:
        limit_s = self._interval.total_seconds() * 0.95
        try:
            async with asyncio.timeout(limit_s):
                return Finding(service, await self._tries[service]())
        except TimeoutError:
            return Finding(service, f"no answer within {limit_s:g} s")
        except httpx.HTTPError as error:
            return Finding(service, str(error) or type(error).__name__)

    def _note(self, finding: Finding) -> None:
        before = self._last.get(finding.service)
        self._last[finding.service] = finding
        if before is None or before.ok != finding.ok:
            say = log.info if finding.ok else log.warning
            event = "probe.answers" if finding.ok else "probe.fails"
            say(event, service=finding.service.value, reason=finding.reason)

    async def _api(self) -> str | None:
        return _wrong(await self._client.get("/v1/agents", params={"limit": 1}))

    async def _governance(self) -> str | None:
        return _wrong(await self._client.post("/v1/policies:evaluate", json=QUESTION))

    async def _telemetry(self) -> str | None:
        return _wrong(await self._client.get("/v1/telemetry/usage"))

    async def _orchestration(self) -> str | None:
        """Start a run, then have the door itself wait for its end and book what it sees."""
        started = await self._start()
        if started.status_code == httpx.codes.NOT_FOUND:
            defined = await self._client.post("/v1/workflows", json=DEFINITION)
            if wrong := _wrong(defined):
                return wrong
            started = await self._start()
        if wrong := _wrong(started):
            return wrong
        run = msgspec.json.decode(started.content, type=_Started)
        return _wrong(await self._client.get(f"/v1/probe/runs/{run.id}"))

    async def _start(self) -> httpx.Response:
        return await self._client.post(f"/v1/workflows/{WORKFLOW}/runs", json={"input": {}})


class _Started(msgspec.Struct, frozen=True):
    id: str


def _wrong(answer: httpx.Response) -> str | None:
    if answer.is_success:
        return None
    asked = f"{answer.request.method} {answer.request.url.path}"
    return f"{asked}: {answer.status_code} {answer.text[:200]}"
