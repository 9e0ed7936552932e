"""What a statement tells without proof must at least hang together: form, spans and acts."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from ai_agent_mesh.evidence import ANNOUNCED, CANCELLED, Numbered
from ai_agent_mesh.kernel.spans import Month, Span
from ai_agent_mesh.operations.planned import Told
from ai_agent_mesh.operations.statements.rules import judged_span, settled_until
from ai_agent_mesh.operations.statements.statement import Statement
from ai_agent_mesh.playbook import Playbook

#: Which act it takes to tell somebody of it.
_ACT_OF = {ANNOUNCED: "maintenance.announced", CANCELLED: "maintenance.cancelled"}


def is_canonical(text: str) -> bool:
    """Tell whether a JSON text says everything once, sorted, and in the one way of saying it.

    >>> [is_canonical(text) for text in ('{"a":1,"b":"ä"}', '{"a":1,"a":2}', '{"a":1.0}')]
    [True, False, False]
    """
    told = _whole(msgspec.json.decode(text))
    return msgspec.json.encode(told, order="sorted") == text.encode()


def _whole(value: object) -> object:
    """Return the value with whole numbers wherever they can be."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def misspanned(told: Statement, playbook: Playbook) -> tuple[str, object, object] | None:
    """Return the first end of a span that is not where it must be: its place, stated and due.

    A month is asked for whole and is judged up to what had settled; the parts adjoin, each on
    another tier. So no minute can be left out between them.
    """
    asked = Span(told.asked_since, told.asked_until)
    whole = Month.parse(told.month).span if told.month is not None else asked
    due = judged_span(asked, told.since, settled_until(told.computed_at, playbook))
    ends = [
        ("asked_since", asked.since, whole.since), ("asked_until", asked.until, whole.until),
        ("since", told.since, due.since), ("until", told.until, due.until),
    ]  # fmt: skip
    follows, tier = told.since, None
    for at, part in enumerate(told.parts):
        ends.append((f"parts.{at}.since", part.since, follows))
        if part.tier == tier:
            return f"parts.{at}.tier", part.tier, "another than before"
        follows, tier = part.until, part.tier
    ends.append((f"parts.{len(told.parts) - 1}.until", follows, told.until))
    return next((end for end in ends if end[1] != end[2]), None)


def doubtful(
    acts: Sequence[Numbered], told: Sequence[Told], settled: datetime, notice: timedelta
) -> Iterator[tuple[str, str]]:
    """Yield what speaks against acts about planned work: the place, and why.

    An announcement counts as in time by its own word, so it must have been signed before the work;
    and whoever was told of an act was told of one that is here.
    """
    for act in acts:
        detail = act.entry.detail
        if detail["act"] != ANNOUNCED or act.signed_at is None:
            continue
        try:
            since = datetime.fromisoformat(detail["since"])
        except (KeyError, ValueError):
            continue  # what lacks a fact is named where it is read
        if since - act.entry.at >= notice and act.signed_at >= since:
            yield act.entry.id, "it was signed only when the work had begun"
    known = {(_ACT_OF[act.entry.detail["act"]], act.entry.object) for act in acts}
    for one in told:
        if one.at < settled and one.type in _ACT_OF.values() and (one.type, one.work) not in known:
            yield one.entry, "it tells of an act that is not here"
