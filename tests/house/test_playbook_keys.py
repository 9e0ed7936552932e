"""Each key of the playbook has a consumer in the product, or waits for one in plain sight."""

from collections import Counter
from pathlib import Path
from shutil import copytree

import pytest
from tests.house.playbook_keys import SOURCE, Waiting, consumers, keys

from ai_agent_mesh.playbook import Playbook
from ai_agent_mesh.playbook.shapes import Record, Row, Shape, Table, record_of

HOW = "run `python -m tests.house.playbook_keys --refresh`"


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """Return each key with the places that read it."""
    return consumers()


def test_every_key_has_a_consumer_or_waits_for_one(found: dict[str, list[str]]) -> None:
    waiting = set(Waiting.read().keys)
    orphans = [key for key, places in found.items() if not places and key not in waiting]
    assert orphans == [], "nothing in the product reads these: let something, or drop them"


def test_no_key_waits_that_has_found_its_consumer(found: dict[str, list[str]]) -> None:
    arrived = {key: found[key] for key in Waiting.read().keys if found.get(key)}
    assert arrived == {}, HOW


def test_the_waiting_list_names_real_keys_once() -> None:
    counted = Counter(Waiting.read().keys)
    assert {key for key in counted if key not in keys()} == set()
    assert {key for key, times in counted.items() if times > 1} == set()


def test_the_waiting_list_only_shrinks() -> None:
    waiting = Waiting.read()
    assert len(waiting.keys) == waiting.ceiling, f"the ceiling is only ever lowered: {HOW}"


def test_a_refresh_takes_off_what_is_consumed_and_lowers_the_ceiling() -> None:
    waiting = Waiting(3, {"here": ["a", "b"], "there": ["c"]})
    assert waiting.without({"b", "c", "z"}) == Waiting(1, {"here": ["a"]})


def test_each_section_stands_at_one_place() -> None:
    # Were one class used under two keys, a read of the one would pass for a read of the other.
    places = Counter(_sections(record_of(Playbook)))
    assert {section for section, times in places.items() if times > 1} == set()


def _sections(shape: Shape) -> list[str]:
    match shape:
        case Record(section, fields, _):
            return [section.__name__, *(n for inner in fields.values() for n in _sections(inner))]
        case Row(item) | Table(item):
            return _sections(item)
        case _:
            return []


READER = '''
"""Reads some of the playbook, and something that only looks like it."""

from dataclasses import dataclass

from ai_agent_mesh.playbook import Playbook, default


@dataclass
class Lookalike:
    rotation: int


def read(book: Playbook, other: Lookalike, name: str) -> object:
    limits = book.limits
    ladders = [tier.ladder for tier in book.tiers.values()]
    window = (default() if name else book).maintenance.window
    method = book.tiers["free"].method
    return limits.request_bytes, ladders, window, book.measurement.terms(method), other.rotation
'''


def test_only_what_is_really_read_counts(tmp_path: Path) -> None:
    house = tmp_path / "ai_agent_mesh"
    house.mkdir()
    (house / "__init__.py").write_text("")
    for name in ("kernel", "sla", "playbook"):
        copytree(SOURCE / "ai_agent_mesh" / name, house / name)
    (house / "reader.py").write_text(READER)

    read = {key for key, places in consumers(tmp_path).items() if places}

    assert {"limits.request_bytes", "maintenance.window", "tiers.*.credits.*.below"} <= read
    assert {"measurement.consecutive", "measurement.probe.interval", "tiers.*.method"} <= read
    # A lookalike's field, and what only the playbook's own document and laws look at, do not count.
    assert {"keys.rotation", "tiers.*.uptime", "reviews.weekly", "latency.*.p50"} & read == set()
