"""What tenants use: identity, agents, policies, workflows, telemetry and the ledger."""
