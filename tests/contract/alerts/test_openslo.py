"""What is rendered for OpenSLO is OpenSLO v1, whatever the playbook says.

The rules below are those of the specification's text (github.com/OpenSLO/OpenSLO) and of its Go
SDK, which is stricter: fields, enumerations, ranges, and how names, durations and moments look.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import pytest
import yaml

from ai_agent_mesh.adapters import openslo
from ai_agent_mesh.playbook import parse
from ai_agent_mesh.sla import Method

Node = dict[str, Any]  # parsed YAML

BOOKS = {
    "default": "",
    **{str(one): f"tiers: {{enterprise: {{method: {one}}}}}" for one in Method},
    "nothing may fail": "tiers: {free: {uptime: 100%}}\nkpis: {platform: {uptime: 100%}}",
    "anything may fail": "measurement: {error_threshold: 100%}",
    "an hour": "tiers: {free: {method: intervals}}\nmeasurement: {interval: 60m}",
    "long names": f"document: {{product: {'M' * 200}}}\ntiers: {{free: {{title: {'F' * 200}}}}}",
    "odd latencies": "latency: {agent_crud: {p50: 1500us, p95: 90s, p99: 2m}}",
}
_METHODS = {"Occurrences", "Timeslices", "RatioTimeslices"}
_DURATION = re.compile(r"[1-9][0-9]*[mhdwMQY]")
#: A DNS label of RFC 1123.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def faults(document: Node) -> Iterator[str]:
    """Yield what a document has that OpenSLO v1 does not allow."""
    if set(document) != {"apiVersion", "kind", "metadata", "spec"}:
        yield f"fields {sorted(document)}"
    if document["apiVersion"] != "openslo/v1":
        yield f"apiVersion {document['apiVersion']}"
    yield from _metadata(document["metadata"])
    if document["kind"] == "SLO":
        yield from _slo(document["spec"])
    elif document["kind"] != "Service" or set(document["spec"]) != {"description"}:
        yield f"kind {document['kind']} of {sorted(document['spec'])}"


def _metadata(one: Node) -> Iterator[str]:
    if not _NAME.fullmatch(one["name"]):
        yield f"name {one['name']}"
    if set(one) - {"name", "displayName"}:
        yield f"metadata {sorted(one)}"
    if not 1 <= len(one.get("displayName", "-")) <= 63:
        yield f"displayName {one['displayName']}"


def _slo(spec: Node) -> Iterator[str]:
    fields = {"description", "service", "indicator", "timeWindow", "budgetingMethod", "objectives"}
    if set(spec) != fields:
        yield f"fields of a spec {sorted(spec)}"
    if len(spec["description"]) > 1050 or not _NAME.fullmatch(spec["service"]):
        yield "description or service"
    if spec["budgetingMethod"] not in _METHODS:
        yield f"budgetingMethod {spec['budgetingMethod']}"
    yield from _metadata(spec["indicator"]["metadata"])
    yield from _ratio(spec["indicator"]["spec"])
    (window,) = spec["timeWindow"]
    yield from _window(window)
    for objective in spec["objectives"]:
        yield from _objective(objective, spec["budgetingMethod"])


def _ratio(spec: Node) -> Iterator[str]:
    ratio = spec["ratioMetric"]
    part = {"good", "bad"} & set(ratio)
    if set(spec) != {"ratioMetric"} or len(part) != 1 or set(ratio) != {"counter", "total", *part}:
        yield f"ratioMetric of {sorted(ratio)}"
    if ratio["counter"] is not True:
        yield "counter"
    for name in ("total", *part):
        source = ratio[name]["metricSource"]
        if set(source) != {"type", "spec"} or not source["spec"].get("query"):
            yield f"metricSource {source}"


def _window(window: Node) -> Iterator[str]:
    if set(window) != {"duration", "isRolling", "calendar"} or window["isRolling"] is not False:
        yield f"timeWindow {window}"
    if not _DURATION.fullmatch(window["duration"]):
        yield f"duration {window['duration']}"
    calendar = window["calendar"]
    try:
        begins = datetime.strptime(calendar["startTime"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the zone stands beside it
    except (TypeError, ValueError):
        yield f"startTime {calendar['startTime']}"
    else:
        if begins.day != 1:
            yield "a month that does not begin on its first"
    # An earlier schema of the project asks for an area and a place.
    if calendar["timeZone"] not in available_timezones() or "/" not in calendar["timeZone"]:
        yield f"timeZone {calendar['timeZone']}"


def _objective(goal: Node, method: str) -> Iterator[str]:
    slices = {
        "Occurrences": set(),
        "Timeslices": {"timeSliceTarget", "timeSliceWindow"},
        "RatioTimeslices": {"timeSliceWindow"},
    }[method]
    if set(goal) != {"displayName", "target", *slices}:
        yield f"fields of an objective {sorted(goal)}"
    if not 0 <= goal["target"] < 1:
        yield f"target {goal['target']}"
    if not 0 < goal.get("timeSliceTarget", 1) <= 1:
        yield f"timeSliceTarget {goal['timeSliceTarget']}"
    if not _DURATION.fullmatch(goal.get("timeSliceWindow", "1m")):
        yield f"timeSliceWindow {goal['timeSliceWindow']}"


@pytest.mark.parametrize("name", BOOKS)
def test_every_document_is_openslo_v1_whatever_the_playbook_says(name: str) -> None:
    book = parse(BOOKS[name].encode(), name)
    service, *slos = yaml.safe_load_all(openslo.render(book, "a test"))
    assert [list(faults(one)) for one in (service, *slos)] == [[]] * (len(slos) + 1)
    names = [one["metadata"]["name"] for one in slos]
    assert len(set(names)) == len(names) == 3 * 4 + 5 * 3
    assert {one["spec"]["service"] for one in slos} == {service["metadata"]["name"]}
