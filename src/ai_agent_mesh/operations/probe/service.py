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

#: How much of its interval a try may take at the most: it is over before the next one is due.
SHARE = 0.95


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
        self._tries: Mapping[Service, Callable[[], Awaitable[None]]] = {
            Service.API: self._api,
            Service.ORCHESTRATION: self._orchestration,
            Service.GOVERNANCE: self._governance,
            Service.TELEMETRY: self._telemetry,
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Try every service at each interval until `stop` is set; then end at once."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._watch(service, place))
                for place, service in enumerate(self._tries)
            ]
            await stop.wait()
            for task in tasks:
                task.cancel()

    async def once(self) -> list[Finding]:
        """Try every service once, all at the same time."""
        return list(await asyncio.gather(*(self._try(service) for service in self._tries)))

    async def _watch(self, service: Service, place: int) -> None:
        """One try after the other: one that takes too long makes the next one drop out."""
        while True:
            places = len(self._tries)
            due = next_try(self._clock.now(), self._interval, place=place, places=places)
            await asyncio.sleep((due - self._clock.now()).total_seconds())
            self._note(await self._try(service))

    async def _try(self, service: Service) -> Finding:
        limit_s = self._interval.total_seconds() * SHARE
        try:
            async with asyncio.timeout(limit_s):
                await self._tries[service]()
        except _Refused as refusal:
            return Finding(service, refusal.reason, refusal.detail)
        except TimeoutError:
            return Finding(service, f"no answer within {limit_s:g} s")
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            return Finding(service, type(error).__name__, str(error))
        return Finding(service)

    def _note(self, finding: Finding) -> None:
        before = self._last.get(finding.service)
        self._last[finding.service] = finding
        if before is not None and before.reason == finding.reason:
            return
        say = log.info if finding.ok else log.warning
        event = "probe.answers" if finding.ok else "probe.fails"
        found = {"reason": finding.reason, "detail": finding.detail} if not finding.ok else {}
        say(event, service=finding.service.value, **found)

    async def _api(self) -> None:
        await self._ask("list agents", "GET", "/v1/agents?limit=1")

    async def _governance(self) -> None:
        await self._ask("evaluate policies", "POST", "/v1/policies:evaluate", QUESTION)

    async def _telemetry(self) -> None:
        await self._ask("read usage", "GET", "/v1/telemetry/usage")

    async def _orchestration(self) -> None:
        """Start a run, then have the door itself wait for its end and book what it sees."""
        runs = f"/v1/workflows/{WORKFLOW}/runs"
        try:
            started = await self._ask("start a run", "POST", runs, {"input": {}})
        except _Refused as refusal:
            if refusal.status != httpx.codes.NOT_FOUND:
                raise
            await self._ask("define the workflow", "POST", "/v1/workflows", DEFINITION)
            started = await self._ask("start a run", "POST", runs, {"input": {}})
        run = msgspec.json.decode(started, type=_Started)
        await self._ask("see the run completed", "GET", f"/v1/probe/runs/{run.id}")

    async def _ask(self, what: str, method: str, path: str, body: object = None) -> bytes:
        answer = await self._client.request(method, path, json=body)
        if not answer.is_success:
            raise _Refused(what, answer.status_code, answer.text[:300])
        return answer.content


class _Started(msgspec.Struct, frozen=True):
    id: str


class _Refused(Exception):  # noqa: N818 - a finding, not a mistake of ours
    def __init__(self, what: str, status: int, detail: str) -> None:
        super().__init__(what)
        self.status = status
        self.reason = f"cannot {what}: {status}"
        self.detail = detail
