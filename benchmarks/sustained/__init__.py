"""The real system under the playbook's shape of traffic for minutes, judged by its own ledger."""
