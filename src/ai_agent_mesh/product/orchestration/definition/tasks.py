"""Reads each kind of task; a kind that the language has and this house has not is named."""

from collections.abc import Callable, Mapping
from typing import Any

from ai_agent_mesh.product.orchestration.definition import calls
from ai_agent_mesh.product.orchestration.definition.catching import read_catch, read_error
from ai_agent_mesh.product.orchestration.definition.document import child
from ai_agent_mesh.product.orchestration.definition.model import (
    Body,
    Case,
    Do,
    Flow,
    For,
    Raise,
    Set,
    Switch,
    Task,
    Template,
    Try,
    Wait,
)
from ai_agent_mesh.product.orchestration.definition.reader import Reader

Json = Any  # what JSON can say

MOST_TASKS = 1_000
DIRECTIVES = ("continue", "exit", "end")
FLOW = ("if", "input", "output", "export", "timeout", "then", "metadata")
NOT_BUILT = ("fork", "emit", "run")


def read_tasks(reader: Reader, value: Json, place: str) -> tuple[Task, ...]:
    """Read a sequence of named tasks, and check that each `then` leads to one of them."""
    if not isinstance(value, list) or not value:
        reader.wrong(place, "must be a list of tasks, with at least one")
        return ()
    reader.tasks += len(value)
    if reader.tasks > MOST_TASKS:
        if reader.tasks - len(value) <= MOST_TASKS:
            reader.wrong(place, f"the definition has more than {MOST_TASKS} tasks")
        return ()
    names = [next(iter(item)) for item in value if isinstance(item, dict) and item]
    tasks: list[Task] = []
    for index, item in enumerate(value):
        at = child(place, index)
        if not isinstance(item, dict) or len(item) != 1:
            reader.wrong(at, "must be an object with one key, the task's name")
            continue
        name, source = next(iter(item.items()))
        if names.index(name) < len(tasks) and name in {task.name for task in tasks}:
            reader.wrong(child(at, name), f"a second task of the name {name!r} in this sequence")
        tasks.append(_task(reader, name, source, child(at, name)))
    _check_directives(reader, tasks)
    return tuple(tasks)


def _task(reader: Reader, name: str, source: Json, place: str) -> Task:
    if not name.strip() or len(name) > 128 or name in DIRECTIVES:
        reader.wrong(place, "a task's name has 1 to 128 characters and is no flow directive")
    if not isinstance(source, dict):
        reader.wrong(place, "must be an object that says what the task does")
        return Task(name, place, Do(()), Flow(), source)
    kind = _kind(reader, source, place)
    flow = _flow(reader, source, place)
    body = READERS[kind](reader, source, place) if kind else Do(())
    return Task(name, place, body, flow, source)


def _kind(reader: Reader, source: Mapping[str, Json], place: str) -> str | None:
    for unbuilt in NOT_BUILT:
        if unbuilt in source:
            reader.wrong(child(place, unbuilt), f"the task kind {unbuilt!r} is not built yet")
            return None
    # `for` and `catch` tasks also have a `do`, so the order of READERS decides.
    kinds = [kind for kind in READERS if kind in source]
    if not kinds:
        reader.wrong(place, f"says nothing to do; one of {', '.join(READERS)} is needed")
        return None
    kind = kinds[0]
    for key in source:
        if key not in (kind, *FLOW, *COMPANIONS.get(kind, ())):
            reader.wrong(child(place, key), f"unknown key {key!r} in a {kind!r} task")
    return kind


def _flow(reader: Reader, source: Mapping[str, Json], place: str) -> Flow:
    def each(key: str, inner: str) -> Template | None:
        if key not in source:
            return None
        at = child(place, key)
        members = reader.members(source[key], at, (inner, "schema"))
        if "schema" in members:
            reader.wrong(child(at, "schema"), f"{key}.schema is not built yet")
        return reader.transform(members[inner], child(at, inner)) if inner in members else None

    then = source.get("then", "continue")
    return Flow(
        condition=reader.expression(source["if"], child(place, "if")) if "if" in source else None,
        input=each("input", "from"),
        output=each("output", "as"),
        export=each("export", "as"),
        timeout_s=read_timeout(reader, source.get("timeout"), child(place, "timeout")),
        then=reader.text(then, child(place, "then"), "continue"),
    )


def read_timeout(reader: Reader, value: Json, place: str) -> float | None:
    """Read `timeout`: `{after: duration}`, or the name of one in `use.timeouts`."""
    if value is None:
        return None
    if isinstance(value, str):
        known = reader.reusable.get("timeouts", {})
        if value not in known:
            reader.wrong(place, f"there is no {value!r} in use.timeouts")
            return None
        value, place = known[value], child("/use/timeouts", value)
    members = reader.members(value, place, ("after",), ("after",))
    return reader.seconds(members["after"], child(place, "after")) if "after" in members else None


def _check_directives(reader: Reader, tasks: list[Task]) -> None:
    names = {task.name for task in tasks}
    for task in tasks:
        if task.flow.then not in DIRECTIVES and task.flow.then not in names:
            reader.wrong(child(task.place, "then"), _nowhere(task.flow.then))
        cases = task.body.cases if isinstance(task.body, Switch) else ()
        for index, case in enumerate(cases):
            if case.then not in DIRECTIVES and case.then not in names:
                at = child(child(child(task.place, "switch"), index), case.name)
                reader.wrong(child(at, "then"), _nowhere(case.then))


def _nowhere(then: str) -> str:
    return f"there is no task {then!r} beside this one (nor is it continue, exit or end)"


def _do(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    return Do(read_tasks(reader, source["do"], child(place, "do")))


def _set(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    at = child(place, "set")
    value = source["set"]
    if not isinstance(value, str | dict):
        reader.wrong(at, "must be an object, or an expression")
    template = reader.template(value, at)
    if isinstance(value, str) and not template.programs:
        reader.wrong(at, "must be an object, or an expression in ${ }")
    return Set(template)


def _switch(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    at = child(place, "switch")
    value = source["switch"]
    if not isinstance(value, list) or not value:
        reader.wrong(at, "must be a list of cases, with at least one")
        return Switch(())
    cases = [_case(reader, item, child(at, index)) for index, item in enumerate(value)]
    found = [case for case in cases if case]
    if sum(case.condition is None for case in found) > 1:
        reader.wrong(at, "only one case may be without a `when`")
    return Switch(tuple(found))


def _case(reader: Reader, item: Json, place: str) -> Case | None:
    if not isinstance(item, dict) or len(item) != 1:
        reader.wrong(place, "must be an object with one key, the case's name")
        return None
    name, value = next(iter(item.items()))
    at = child(place, name)
    members = reader.members(value, at, ("when", "then"), ("then",))
    when = reader.expression(members["when"], child(at, "when")) if "when" in members else None
    then = reader.text(members.get("then", "continue"), child(at, "then"), "continue")
    return Case(name, when, then)


def _for(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    at = child(place, "for")
    members = reader.members(source["for"], at, ("each", "in", "at"), ("in",))
    each = _variable(reader, members.get("each", "item"), child(at, "each"))
    index = _variable(reader, members.get("at", "index"), child(at, "at"))
    collection = reader.expression(members.get("in", "[]"), child(at, "in"))
    before, reader.names = reader.names, (*reader.names, each, index)
    where = child(place, "while")
    condition = reader.expression(source["while"], where) if "while" in source else None
    if "do" not in source:
        reader.wrong(place, "the key 'do' is missing")
    tasks = read_tasks(reader, source["do"], child(place, "do")) if "do" in source else ()
    reader.names = before
    return For(each, index, collection, condition, tasks)


def _variable(reader: Reader, value: Json, place: str) -> str:
    name = reader.text(value, place, "item")
    if not name.isidentifier() or not name.isascii():
        reader.wrong(place, "must be a variable's name: letters, digits and _")
        return "item"
    return name


def _try(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    tasks = read_tasks(reader, source["try"], child(place, "try"))
    if "catch" not in source:
        reader.wrong(place, "the key 'catch' is missing")
    return Try(
        tasks, read_catch(reader, source.get("catch", {}), child(place, "catch"), read_tasks)
    )


def _raise(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    at = child(place, "raise")
    members = reader.members(source["raise"], at, ("error",), ("error",))
    return Raise(read_error(reader, members.get("error"), child(at, "error")))


def _wait(reader: Reader, source: Mapping[str, Json], place: str) -> Body:
    return Wait(reader.seconds(source["wait"], child(place, "wait")))


READERS: dict[str, Callable[[Reader, Mapping[str, Json], str], Body]] = {
    "for": _for,
    "try": _try,
    "set": _set,
    "switch": _switch,
    "raise": _raise,
    "wait": _wait,
    "call": calls.read_call,
    "listen": calls.read_listen,
    "do": _do,
}
COMPANIONS = {"for": ("while", "do"), "try": ("catch",), "call": ("with",)}
