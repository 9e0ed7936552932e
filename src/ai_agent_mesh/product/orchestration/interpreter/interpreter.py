"""Walks through a definition's tasks: data in, data out, and where to go on.

It is run again from the start for each segment. What reached outside is remembered by its spot, and
everything else follows from that, so a second walk takes the same turns; expressions see neither
clock nor chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ai_agent_mesh.product.orchestration.definition.model import (
    CallAgent,
    CallHttp,
    Definition,
    Do,
    For,
    Listen,
    Raise,
    Set,
    Switch,
    Task,
    Template,
    Try,
    Wait,
)
from ai_agent_mesh.product.orchestration.errors import Raised, matches, raised
from ai_agent_mesh.product.orchestration.expressions import Expressions
from ai_agent_mesh.product.orchestration.interpreter.filling import expanded, filled, holds, moment
from ai_agent_mesh.product.orchestration.interpreter.frame import Frame, sooner
from ai_agent_mesh.product.orchestration.ports import Outside, Spot, Step
from ai_agent_mesh.product.orchestration.rules import MOST_EXECUTIONS, delay_s, may_retry

Json = Any  # what JSON can say

_ROOT = Spot("", "", 1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run may say of itself in `$workflow`."""

    run_id: str
    input: Json
    started_at: datetime


class _Ended(Exception):  # noqa: N818 - `then: end`
    def __init__(self, output: Json) -> None:
        super().__init__()
        self.output = output


class Interpreter:
    """One walk of one run."""

    def __init__(
        self, definition: Definition, facts: Facts, outside: Outside, expressions: Expressions
    ) -> None:
        self._definition = definition
        self._facts = facts
        self._outside = outside
        self._expressions = expressions
        self._context: Json = {}
        self._left = MOST_EXECUTIONS
        self._workflow = {
            "id": facts.run_id,
            "definition": definition.source,
            "input": facts.input,
            "startedAt": moment(facts.started_at),
        }

    async def run(self) -> Json:
        """Return the run's output.

        Raises:
            Raised: an error that nothing caught.
            Parked: the run waits.
        """
        whole = self._definition
        limit = None
        if whole.timeout_s is not None:
            limit = self._outside.since.timestamp() + whole.timeout_s
        frame = Frame(_ROOT, {}, limit)
        data = self._facts.input
        if whole.input is not None:
            data = await self._fill(whole.input, data, frame, "/input/from")
        try:
            data = await self._sequence(whole.tasks, data, frame)
        except _Ended as ended:
            data = ended.output
        if whole.output is not None:
            data = await self._fill(whole.output, data, frame, "/output/as")
        return data

    async def _sequence(self, tasks: Sequence[Task], data: Json, frame: Frame) -> Json:
        places = {task.name: index for index, task in enumerate(tasks)}
        index = 0
        while index < len(tasks):
            data, then = await self._task(tasks[index], data, frame)
            if then == "exit":
                break
            if then == "end":
                raise _Ended(data)
            index = index + 1 if then == "continue" else places[then]
        return data

    async def _task(self, task: Task, data: Json, around: Frame) -> tuple[Json, str]:
        self._left -= 1
        if self._left < 0:
            reason = f"the run did more than {MOST_EXECUTIONS} tasks"
            raise raised("runtime", reason, task.place)
        spot, flow = around.enter(task.name), task.flow
        about = {"name": task.name, "reference": task.place, "definition": task.source}
        frame = around.within(spot, around.deadline_s, task={**about, "input": data})
        if flow.condition is not None:
            answer = await self._fill(flow.condition, data, frame, task.place + "/if")
            if not holds(answer):
                self._outside.note(spot, task, "skipped")
                return data, "continue"
        given = data
        if flow.input is not None:
            given = await self._fill(flow.input, data, frame, task.place + "/input/from")
        frame.variables["input"] = given
        if flow.timeout_s is not None:
            since = max(self._outside.now_s, self._outside.since.timestamp())
            frame.deadline_s = sooner(frame.deadline_s, since + flow.timeout_s)
        self._outside.note(spot, task, "running")
        try:
            output, then = await self._body(task, given, frame)
            output = await self._outcome(task, output, frame)
        except Raised as error:
            self._outside.note(spot, task, "faulted", error.error)
            raise
        except _Ended:
            self._outside.note(spot, task, "completed")
            raise
        self._outside.note(spot, task, "completed", output)
        return output, then

    async def _outcome(self, task: Task, output: Json, frame: Frame) -> Json:
        flow = task.flow
        if flow.output is not None:
            frame.variables["output"] = output
            output = await self._fill(flow.output, output, frame, task.place + "/output/as")
        if flow.export is not None:
            frame.variables["output"] = output
            place = task.place + "/export/as"
            self._context = await self._fill(flow.export, output, frame, place)
        return output

    async def _body(  # noqa: PLR0911 - one way out for each kind
        self, task: Task, data: Json, frame: Frame
    ) -> tuple[Json, str]:
        then = task.flow.then
        match task.body:
            case Do(tasks):
                inside = frame.within(frame.spot, frame.deadline_s)
                return await self._sequence(tasks, data, inside), then
            case Set(value):
                return await self._fill(value, data, frame, task.place + "/set"), then
            case Switch() as switch:
                return data, await self._chosen(switch, task, data, frame)
            case For() as loop:
                return await self._loop(loop, task, data, frame), then
            case Try() as attempt:
                return await self._try(attempt, task, data, frame), then
            case Raise(error):
                filled = await self._fill(error, data, frame, task.place + "/raise/error")
                raise Raised({"instance": task.place, **filled})
            case Wait(seconds):
                await self._perform(task, {"seconds": seconds}, frame)
                return data, then
            case CallHttp(_, arguments) | CallAgent(arguments):
                filled = await self._fill(arguments, data, frame, task.place + "/with")
                return await self._perform(task, filled, frame, data), then
            case Listen(asks):
                filled = await self._fill(asks, data, frame, task.place + "/listen")
                return await self._perform(task, filled, frame, data), then

    async def _perform(self, task: Task, arguments: Json, frame: Frame, data: Json = None) -> Json:
        if isinstance(task.body, CallHttp):
            arguments = {**arguments, "endpoint": expanded(arguments["endpoint"], data)}
        step = Step(frame.spot, task, task.kind, arguments, frame.deadline_s)
        return await self._outside.perform(step)

    async def _chosen(self, switch: Switch, task: Task, data: Json, frame: Frame) -> str:
        default = task.flow.then
        for index, case in enumerate(switch.cases):
            if case.condition is None:
                default = case.then
                continue
            place = f"{task.place}/switch/{index}/{case.name}/when"
            if holds(await self._fill(case.condition, data, frame, place)):
                return case.then
        return default

    async def _loop(self, loop: For, task: Task, data: Json, frame: Frame) -> Json:
        place = task.place + "/for/in"
        items = await self._fill(loop.collection, data, frame, place)
        if not isinstance(items, list):
            raise raised("expression", "for.in gives no list", place)
        for index, item in enumerate(items):
            spot = frame.spot.inside(f"[{index}]")
            names = {loop.each: item, loop.at: index}
            inside = frame.within(spot, frame.deadline_s, **names)
            if loop.condition is not None and not holds(
                await self._fill(loop.condition, data, inside, task.place + "/while")
            ):
                break
            data = await self._sequence(loop.tasks, data, inside)
        return data

    async def _try(self, body: Try, task: Task, data: Json, frame: Frame) -> Json:
        catch, number = body.catch, 0
        began_s = max(self._outside.now_s, self._outside.since.timestamp())
        while True:
            number += 1
            spot = frame.spot.inside("try", attempt=number)
            try:
                return await self._sequence(body.tasks, data, frame.within(spot, frame.deadline_s))
            except Raised as fault:
                inside = frame.within(spot, frame.deadline_s, **{catch.name: fault.error})
                if not await self._catches(body, task, data, inside, fault):
                    raise
                if await self._retries(body, task, data, inside, number, began_s):
                    continue
                if catch.tasks:
                    after = frame.spot.inside("catch")
                    within = frame.within(after, frame.deadline_s, **{catch.name: fault.error})
                    return await self._sequence(catch.tasks, data, within)
                if catch.retry is not None:
                    raise  # its attempts are used up, and nothing is said about that
                return data

    async def _catches(
        self, body: Try, task: Task, data: Json, frame: Frame, fault: Raised
    ) -> bool:
        catch = body.catch
        if not matches(catch.matching, fault.error):
            return False
        place = task.place + "/catch"
        return await self._applies(catch.condition, catch.exception, data, frame, place)

    async def _retries(
        self, body: Try, task: Task, data: Json, frame: Frame, number: int, began_s: float
    ) -> bool:
        retry = body.catch.retry
        if retry is None or not may_retry(retry, number, self._outside.now_s - began_s):
            return False
        place = task.place + "/catch/retry"
        if not await self._applies(retry.condition, retry.exception, data, frame, place):
            return False
        seconds = delay_s(retry, number, self._facts.run_id + frame.spot.key)
        if seconds > 0:
            pause = Step(
                frame.spot.inside("pause"), task, "wait", {"seconds": seconds}, frame.deadline_s
            )
            await self._outside.perform(pause)
        return True

    async def _applies(
        self,
        condition: Template | None,
        exception: Template | None,
        data: Json,
        frame: Frame,
        place: str,
    ) -> bool:
        if condition is not None and not holds(
            await self._fill(condition, data, frame, place + "/when")
        ):
            return False
        return exception is None or not holds(
            await self._fill(exception, data, frame, place + "/exceptWhen")
        )

    async def _fill(self, template: Template, data: Json, frame: Frame, place: str) -> Json:
        known = {
            "context": self._context,
            "workflow": self._workflow,
            "runtime": {"name": "ai-agent-mesh"},
            "input": None,
            "output": None,
            "task": None,
            **frame.variables,
        }
        return await filled(self._expressions, template, data, known, self._outside.now_s, place)
