"""Section 4: hardening, certifications and the audit trail."""

from collections.abc import Mapping
from enum import StrEnum

from ai_agent_mesh.playbook.schema.kinds import Duration, Flag, Section, Text, Whole, Words, Years


class NetworkSecurity(Section, frozen=True):
    """How the network is closed."""

    isolation: Text
    filters: Words
    ddos: Words
    tls: Text
    tls_for: Text


class ComputeSecurity(Section, frozen=True):
    """How machines are closed."""

    images: Text
    ssh: Flag
    shell_through: Text
    secret_rotation: Duration
    hardening: Text


class DataSecurity(Section, frozen=True):
    """How data is encrypted."""

    at_rest: Text
    in_transit: Text
    keys_kept_by: Text
    fields_encrypted: Text


class ApplicationSecurity(Section, frozen=True):
    """How callers are known and their input is distrusted."""

    sign_in: Words
    second_factor: Words
    access: Text
    sql: Text
    xss: Text


class DependencySecurity(Section, frozen=True):
    """How what others wrote is watched."""

    scanners: Words
    composition_analysis: Flag
    severe_cves_allowed: Whole


class Security(Section, frozen=True):
    """What is hardened, and how."""

    network: NetworkSecurity
    compute: ComputeSecurity
    data: DataSecurity
    application: ApplicationSecurity
    dependencies: DependencySecurity


class CertificationState(StrEnum):
    """How far a certification is."""

    PLANNED = "planned"
    IN_PROGRESS = "in progress"
    ACTIVE = "active"


class Certification(Section, frozen=True):
    """A certification, how far it is and when it is expected."""

    title: Text
    state: CertificationState
    due: Text | None = None


class AuditedCalls(StrEnum):
    """Which calls leave an audit entry."""

    ALL = "all"


class Audit(Section, frozen=True):
    """What the audit trail holds, how it is protected and how long it is kept."""

    calls: AuditedCalls
    storage: Text
    signature: Text
    retention: Years


class Compliance(Section, frozen=True):
    """What outsiders have confirmed, and what they can check."""

    certifications: Mapping[str, Certification]
    audit: Audit
