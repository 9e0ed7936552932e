"""The dashboard's JSON: rows of panels over a data source that is chosen when it is imported."""

import json
from collections.abc import Iterator

from ai_agent_mesh.adapters.grafana.panels import Panel, objectives, watched
from ai_agent_mesh.playbook import Playbook

Json = dict[str, object]

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS, _WIDTH, _HEIGHT = 2, 12, 8


def render(playbook: Playbook, source: str) -> str:
    """Return the dashboard of a playbook as JSON, ready to import or to provision.

    `source` says in the file which playbook it is.
    """
    rows = {"Service levels": objectives(playbook), **watched(playbook)}
    dashboard = {
        "uid": "ai-agent-mesh",
        "title": playbook.document.product,
        "description": f"Written by `mesh playbook render --to grafana`, {source}.",
        "tags": ["ai-agent-mesh", "slo"],
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "label": "Data source", "type": "datasource",
                      "query": "prometheus"}],
        },
        "panels": list(_panels(rows)),
    }  # fmt: skip
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def _panels(rows: dict[str, tuple[Panel, ...]]) -> Iterator[Json]:
    number, top = 0, 0
    for title, panels in rows.items():
        number += 1
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": top, "w": _COLUMNS * _WIDTH, "h": 1}}  # fmt: skip
        for place, panel in enumerate(panels):
            number += 1
            down, across = divmod(place, _COLUMNS)
            at = {"x": across * _WIDTH, "y": top + 1 + down * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            yield _panel(number, panel, at)
        top += 1 + -(-len(panels) // _COLUMNS) * _HEIGHT


def _panel(number: int, panel: Panel, at: dict[str, int]) -> Json:
    shown: Json = {"id": number, "type": panel.kind, "title": panel.title, "gridPos": at}
    if panel.kind == "text":
        return shown | {
            "options": {"mode": "markdown", "content": "The mesh has no figure for it."}
        }
    instant = panel.kind != "timeseries"
    return shown | {
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": _SOURCE, "expr": query,
             "legendFormat": legend, "instant": instant, "range": not instant}
            for place, (legend, query) in enumerate(panel.queries.items())
        ],
    }  # fmt: skip
