"""The whole rule file, in the order in which Prometheus must evaluate it."""

from collections.abc import Iterable

import yaml

from ai_agent_mesh.adapters.prometheus import alerting, recording
from ai_agent_mesh.adapters.prometheus.names import PRODUCT, window_name
from ai_agent_mesh.playbook import Playbook


def render(playbook: Playbook, *, version: str, source: str, runbooks: str | None = None) -> str:
    """Return the rule file of a playbook as YAML; promtool checks it without a complaint.

    `source` says in the file's head where the playbook is from, `runbooks` is the address of the
    page that alerts link to.
    """
    every = window_name(playbook.alerting.evaluated_every)

    def group(name: str, entries: Iterable[recording.Entry]) -> dict[str, object]:
        return {"name": f"{PRODUCT}-{name}", "interval": every, "rules": list(entries)}

    indicators = [
        *recording.maintenance(),
        *recording.silence(),
        *recording.base(playbook),
        *recording.ratios(playbook),
        *recording.months(playbook),
    ]
    document = {
        "groups": [
            group("sli", indicators),
            group("slo", recording.metadata(playbook, version)),
            group("alerts", alerting.alerts(playbook, runbooks)),
        ]
    }
    head = f"# Written by `mesh playbook render --to prometheus`, {source}.\n"
    return head + yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=True)
