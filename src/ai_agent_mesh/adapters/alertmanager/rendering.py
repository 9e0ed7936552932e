"""The routing tree and its receivers; every secret is a file that the configuration only names."""

from itertools import pairwise

import yaml

from ai_agent_mesh.adapters.prometheus import window_name
from ai_agent_mesh.operations.alerts import Availability, objectives
from ai_agent_mesh.playbook import Playbook, Tells

#: Where whoever runs Alertmanager puts the keys.
SECRETS = "/etc/alertmanager/secrets"

_TITLE = (
    "{{ .CommonLabels.severity }}: {{ .GroupLabels.alertname }}"
    "{{ with .CommonLabels.sloth_slo }} {{ . }}{{ end }} ({{ .Status }})"
)
_TOLD = {
    name: f'{{{{ range .Alerts }}}}{{{{ .Annotations.{name} }}}}{{{{ "\\n" }}}}{{{{ end }}}}'
    for name in ("summary", "description")
}
#: The chapter is the same for all of a group; its address is there where it was rendered with one.
_RUNBOOK = (
    "{{ with .CommonAnnotations.runbook_url }}{{ . }}"
    "{{ else }}{{ .CommonAnnotations.runbook }}{{ end }}"
)
#: As long as what silences others takes to arrive: alerts of one outage come together.
_TOGETHER = "5s"


def render(playbook: Playbook, source: str) -> str:
    """Return the configuration as YAML; amtool checks it without a complaint.

    `source` says in the file which playbook it is.
    """
    document = {
        "route": {
            "receiver": Tells.DASHBOARD.value,
            "group_by": ["alertname", "sloth_id", "severity"],
            "routes": [
                _route(urgency, group.tells, playbook) for urgency, group in playbook.alerts.items()
            ],
        },
        "inhibit_rules": [
            *(_silences(worse, milder) for worse, milder in pairwise(playbook.alerts)),
            _whole_and_parts(playbook),
        ],
        "receivers": [_receiver(tells) for tells in Tells],
    }
    head = f"# Written by `mesh playbook render --to alertmanager`, {source}.\n"
    return head + yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=True)


def _route(urgency: str, tells: Tells, playbook: Playbook) -> dict[str, object]:
    """Return the way of one urgency; a page that nobody answers comes again when it is overdue."""
    route: dict[str, object] = {"receiver": tells.value, "matchers": [f'severity="{urgency}"']}
    if tells is Tells.PAGE:
        # Whoever is asleep must hear of it at once, and of one outage once.
        route["group_wait"] = _TOGETHER
        route["repeat_interval"] = window_name(playbook.oncall.respond_within)
    return route


def _silences(worse: str, milder: str) -> dict[str, object]:
    """Let the worse alert of the same thing speak alone."""
    return {
        "source_matchers": [f'severity="{worse}"'],
        "target_matchers": [f'severity="{milder}"'],
        "equal": ["alertname", "sloth_id", "instance"],
    }


def _whole_and_parts(playbook: Playbook) -> dict[str, object]:
    """Let an outage of the platform page once: its description names the services that burn."""
    whole, *parts = (
        one.name for one in objectives(playbook) if isinstance(one.indicator, Availability)
    )
    burning = 'alertname="ErrorBudgetBurn"'
    return {
        "source_matchers": [burning, f'sloth_slo="{whole}"'],
        "target_matchers": [burning, f'sloth_slo=~"{"|".join(parts)}"'],
        "equal": ["severity"],
    }


def _receiver(tells: Tells) -> dict[str, object]:
    match tells:
        case Tells.PAGE:
            return {
                "name": tells.value,
                "pagerduty_configs": [
                    {
                        "routing_key_file": f"{SECRETS}/pagerduty-routing-key",
                        "description": _TITLE,
                        "details": {**_TOLD, "runbook": _RUNBOOK},
                    }
                ],
            }
        case Tells.SLACK:
            return {
                "name": tells.value,
                "slack_configs": [
                    {
                        "api_url_file": f"{SECRETS}/slack-webhook-url",
                        "title": _TITLE,
                        "text": "".join([*_TOLD.values(), _RUNBOOK]),
                        "send_resolved": True,
                    }
                ],
            }
        case Tells.DASHBOARD:
            # Nobody is told: the dashboard reads the alerts from Prometheus.
            return {"name": tells.value}
