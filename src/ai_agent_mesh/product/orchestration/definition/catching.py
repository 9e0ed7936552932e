"""Reads what the language says of errors: raised, caught, retried."""

from collections.abc import Callable
from typing import Any

from ai_agent_mesh.product.orchestration.definition.document import child
from ai_agent_mesh.product.orchestration.definition.model import Catch, Retry, Task, Template
from ai_agent_mesh.product.orchestration.definition.reader import Reader

Json = Any  # what JSON can say

ERROR_KEYS = ("type", "status", "instance", "title", "detail")
CATCH_KEYS = ("errors", "as", "when", "exceptWhen", "retry", "do")
RETRY_KEYS = ("when", "exceptWhen", "delay", "backoff", "limit", "jitter")
BACKOFFS = ("constant", "linear", "exponential")


def read_error(reader: Reader, value: Json, place: str) -> Template:
    """Read the error of a `raise`: an object, or the name of one in `use.errors`."""
    if isinstance(value, str):
        known = reader.reusable.get("errors", {})
        if value not in known:
            reader.wrong(place, f"there is no {value!r} in use.errors")
            return Template.of({})
        value, place = known[value], child("/use/errors", value)
    members = reader.members(value, place, ERROR_KEYS, ("type", "status"))
    status = members.get("status", 500)
    if not isinstance(status, str):
        reader.whole(status, child(place, "status"), 100, 599)
    return reader.template(dict(members), place)


def read_catch(
    reader: Reader,
    value: Json,
    place: str,
    read_tasks: Callable[[Reader, Json, str], tuple[Task, ...]],
) -> Catch:
    """Read a `catch`."""
    members = reader.members(value, place, CATCH_KEYS)
    name = reader.text(members.get("as", "error"), child(place, "as"), "error")
    if not name.isidentifier() or not name.isascii():
        reader.wrong(child(place, "as"), "must be a variable's name: letters, digits and _")
        name = "error"
    before, reader.names = reader.names, (*reader.names, name)

    def expression(key: str) -> Template | None:
        return reader.expression(members[key], child(place, key)) if key in members else None

    catch = Catch(
        matching=_filter(reader, members.get("errors", {}), child(place, "errors")),
        name=name,
        condition=expression("when"),
        exception=expression("exceptWhen"),
        retry=_retry(reader, members.get("retry"), child(place, "retry")),
        tasks=read_tasks(reader, members["do"], child(place, "do")) if "do" in members else (),
    )
    reader.names = before
    return catch


def _filter(reader: Reader, value: Json, place: str) -> dict[str, Json]:
    members = reader.members(value, place, ("with",))
    within = child(place, "with")
    return dict(reader.members(members.get("with", {}), within, ERROR_KEYS))


def _retry(reader: Reader, value: Json, place: str) -> Retry | None:
    if value is None:
        return None
    if isinstance(value, str):
        known = reader.reusable.get("retries", {})
        if value not in known:
            reader.wrong(place, f"there is no {value!r} in use.retries")
            return None
        value, place = known[value], child("/use/retries", value)
    members = reader.members(value, place, RETRY_KEYS)

    def expression(key: str) -> Template | None:
        return reader.expression(members[key], child(place, key)) if key in members else None

    most, longest = _limit(reader, members.get("limit", {}), child(place, "limit"))
    delay = members.get("delay", {"seconds": 0})
    return Retry(
        condition=expression("when"),
        exception=expression("exceptWhen"),
        delay_s=reader.seconds(delay, child(place, "delay")),
        backoff=_backoff(reader, members.get("backoff", {"constant": {}}), child(place, "backoff")),
        most=most,
        longest_s=longest,
        jitter_s=_jitter(reader, members.get("jitter"), child(place, "jitter")),
    )


def _backoff(reader: Reader, value: Json, place: str) -> str:
    members = reader.members(value, place, BACKOFFS)
    if len(members) != 1:
        reader.wrong(place, f"must have exactly one of {', '.join(BACKOFFS)}")
        return "constant"
    kind = next(iter(members))
    reader.members(members[kind] or {}, child(place, kind), ())
    return kind


def _limit(reader: Reader, value: Json, place: str) -> tuple[int | None, float | None]:
    members = reader.members(value, place, ("attempt", "duration"))
    within = child(place, "attempt")
    attempt = reader.members(members.get("attempt", {}), within, ("count", "duration"))
    if "duration" in attempt:
        at = child(within, "duration")
        reader.wrong(at, "a limit for one attempt is not built yet: give its tasks a timeout")
    most = longest = None
    if "count" in attempt:
        most = reader.whole(attempt["count"], child(within, "count"), 1, 1_000)
    if "duration" in members:
        longest = reader.seconds(members["duration"], child(place, "duration"))
    return most, longest


def _jitter(reader: Reader, value: Json, place: str) -> tuple[float, float]:
    if value is None:
        return (0.0, 0.0)
    members = reader.members(value, place, ("from", "to"), ("from", "to"))
    bounds = [
        reader.seconds(members[key], child(place, key)) if key in members else 0.0
        for key in ("from", "to")
    ]
    if bounds[0] > bounds[1]:
        reader.wrong(place, "`from` must not be longer than `to`")
    return (bounds[0], bounds[1])
