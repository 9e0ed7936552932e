"""Section 4 of the document: hardening, certifications, the audit trail."""

from ai_agent_mesh.playbook.markdown.words import bullets, listed, size, spell, table, yes
from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.units import YEARS


def security(book: Playbook) -> str:
    """Return what is closed, encrypted, watched, certified and kept as evidence."""
    return "\n".join(
        [
            "### 4.1 Infrastructure\n",
            _infrastructure(book),
            "### 4.2 Application\n",
            _application(book),
            "### 4.3 Compliance and audit\n",
            _compliance(book),
        ]
    )


def _infrastructure(book: Playbook) -> str:
    net, machines, data = book.security.network, book.security.compute, book.security.data
    return bullets(
        [
            (
                f"Network: {net.isolation}; {listed(net.filters)}; {listed(net.ddos)} against "
                "floods; "
                f"TLS {net.tls} for {net.tls_for}."
            ),
            (
                f"Machines: {machines.images}; SSH: {yes(machines.ssh)}, a shell only through "
                f"{machines.shell_through}; secrets rotated every "
                f"{spell(machines.secret_rotation)}; "
                f"hardened by {machines.hardening}."
            ),
            (
                f"Data: {data.at_rest} at rest, {data.in_transit} on its way; keys kept by "
                f"{data.keys_kept_by}; encrypted field by field: {data.fields_encrypted}."
            ),
        ]
    )


def _application(book: Playbook) -> str:
    app, packages = book.security.application, book.security.dependencies
    return bullets(
        [
            (
                f"Sign-in by {listed(app.sign_in)}, second factor {listed(app.second_factor)}; "
                "access by "
                f"{app.access}; API keys last {spell(book.keys.rotation)}."
            ),
            f"Input: at most {size(book.limits.request_bytes)}; {app.sql}; {app.xss}.",
            (
                f"Dependencies: scanned by {listed(packages.scanners)}; composition analysis: "
                f"{yes(packages.composition_analysis)}; severe known vulnerabilities in "
                "production: "
                f"{packages.severe_cves_allowed}."
            ),
        ]
    )


def _compliance(book: Playbook) -> str:
    audit = book.compliance.audit
    rows = [(c.title, c.state, c.due or "—") for c in book.compliance.certifications.values()]
    line = (
        f"Audit trail: {audit.calls} API calls; {audit.storage}; signed with {audit.signature}; "
        f"kept {YEARS.write(audit.retention)}."
    )
    return f"{table(('Certification', 'State', 'Expected'), rows)}\n{bullets([line])}"
