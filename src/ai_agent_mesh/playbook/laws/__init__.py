"""What must hold between a playbook's keys; each law runs as soon as the keys it needs are readable."""  # noqa: E501

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import msgspec

from ai_agent_mesh.playbook.laws import capacity, promises, thresholds
from ai_agent_mesh.playbook.laws.law import Law, WideLaw

LAWS: tuple[Law, ...] = (*promises.LAWS, *thresholds.LAWS, *capacity.LAWS)
WIDE_LAWS: tuple[WideLaw, ...] = (*promises.WIDE_LAWS, *thresholds.WIDE_LAWS, *capacity.WIDE_LAWS)


def broken_laws(
    section: type[msgspec.Struct] | None, key: str, value: object, parts: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    """Yield the name below `key` and the reason of each law that does not hold there.

    `value` is the whole value, or None while a part of it is unreadable; `parts` are the readable
    parts by name.
    """
    for law in LAWS:
        if not (law.of is section if isinstance(law.of, type) else fnmatchcase(key, law.of)):
            continue
        if law.needs and all(name in parts for name in law.needs):
            yield from law.check(*(parts[name] for name in law.needs))
        elif not law.needs and value is not None:
            yield from law.check(value)


def broken_wide_laws(scalars: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the dotted key and the reason of each law across sections that does not hold.

    `scalars` are the readable values by dotted key; a law looks only at those that are there.
    """
    for law in WIDE_LAWS:
        yield from law(scalars)


__all__ = ["LAWS", "WIDE_LAWS", "broken_laws", "broken_wide_laws"]
