"""One body for each route that takes one, as a caller would really send it.

They stand in the published document and on the reference page; a test sends every one of them
through the door.
"""

from typing import Any

# A body is JSON of any shape.
Json = Any

_WORKFLOW = """\
document: {dsl: 1.0.0, namespace: examples, name: greet, version: 1.0.0}
do:
  - ask:
      call: a2a
      with: {agent: document-analyst, data: {text: '${ .letter }'}}
"""

#: What `POST /v1/workflows` takes is a document in YAML (or JSON), not a JSON body.
YAML: dict[str, str] = {"POST /v1/workflows": _WORKFLOW}

BODIES: dict[str, Json] = {
    "POST /v1/keys": {"service": "ci", "role": "developer", "valid_for_s": 2_592_000},
    "POST /v1/users": {"email": "dev@acme.example", "name": "Dev", "role": "developer"},
    "PATCH /v1/users/{user_id}": {"role": "viewer"},
    "POST /v1/tenants": {
        "name": "acme",
        "tier": "professional",
        "monthly_fee": {"amount": "499.00", "currency": "USD"},
        "owner": {"email": "owner@acme.example", "name": "Owner"},
    },
    "PATCH /v1/tenants/{tenant_id}": {
        "tier": "enterprise",
        "monthly_fee": {"amount": "5000.00", "currency": "USD"},
    },
    "POST /v1/subscriptions": {
        "url": "https://hooks.acme.example/mesh",
        "topics": ["maintenance"],
    },
    "POST /v1/amendments": {
        "entry": "ent_01k9yq4w3tf2b8m6s5n7r9v0xd",
        "fault": "upstream",
        "reason": "The agent's own gateway answered 502 in our name.",
    },
    "POST /v1/maintenance": {
        "title": "Replace the database's disks",
        "since": "2027-01-10T02:00:00Z",
        "until": "2027-01-10T04:00:00Z",
        "services": ["orchestration"],
    },
    "POST /v1/incidents": {
        "title": "Runs start late",
        "severity": "sev2",
        "services": ["orchestration"],
        "began_at": "2026-11-05T10:12:00Z",
    },
    "PATCH /v1/incidents/{incident_id}": {"severity": "sev1", "stage": "investigation"},
    "POST /v1/incidents/{incident_id}:resolve": {
        "cause": "A worker held its queue after its disk had filled up.",
    },
    "POST /v1/agents": {
        "kind": "a2a",
        "url": "https://agents.acme.example/clerk",
        "labels": {"team": "billing"},
    },
    "PATCH /v1/agents/{agent_id}": {"labels": {"team": "archive"}, "timeout_s": 20},
    "POST /v1/agents/{agent_id}:invoke": {
        "input": {"text": "Dear Ms Weber, thank you for your visit."},
        "timeout_s": 10,
        "facts": {"bulk": "false"},
    },
    "PUT /v1/policies/{name}": {
        "text": "// Nobody may call the archive.\n"
        'forbid (principal, action == Mesh::Action::"invokeAgent", resource is Mesh::Agent)\n'
        'when { resource.name == "archive" };',
    },
    "POST /v1/policies:evaluate": {
        "action": "startRun",
        "resource": {"type": "Workflow", "name": "invoices"},
        "principal": {"type": "Actor", "id": "usr_of_somebody", "role": "viewer"},
    },
    "POST /v1/workflows/{name}/runs": {"input": {"letter": "Dear Ms Weber, …"}},
    "POST /v1/approvals/{approval_id}:approve": {"comment": "Checked with the supplier."},
    "POST /v1/approvals/{approval_id}:reject": {"comment": "The sum is wrong."},
}
