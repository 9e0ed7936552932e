"""Sections 5, 6, 9 and 10 of the document: monitoring, changes, support, improvement."""

from ai_agent_mesh.playbook.markdown.words import (
    bullets,
    condition,
    each,
    listed,
    money,
    promised,
    spell,
    table,
    title,
    yes,
)
from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.schema.support import SupportTerms
from ai_agent_mesh.sla import percent_text


def monitoring(book: Playbook) -> str:
    """Return what is watched, what alarms whom, and how on call works."""
    metrics, logs, traces = book.monitoring.metrics, book.monitoring.logs, book.monitoring.traces
    watched = bullets(
        [
            (
                f"Metrics ({listed(metrics.tools)}): system: {listed(metrics.system)}; "
                "application: "
                f"{listed(metrics.application)}; business: {listed(metrics.business)}."
            ),
            f"Logs ({listed(logs.tools)}): {logs.format}; {listed(logs.offers)}.",
            f"Traces ({listed(traces.tools)}): {listed(traces.offers)}.",
        ]
    )
    rows = [
        (f"{name} → {group.tells}", title(signal), condition(rule))
        for name, group in book.alerts.items()
        for signal, rule in group.rules.items()
    ]
    alerts = table(("Alert", "Signal", "When"), rows)
    return (
        f"### 5.1 What is watched\n\n{watched}\n### 5.2 Alerts\n\n{alerts}\n{_alerting(book)}\n"
        f"### 5.3 On call\n\n{_oncall(book)}"
    )


def _alerting(book: Playbook) -> str:
    how, burn, loop = book.alerting, book.alerting.burn, book.alerting.crash_loop
    rows = [
        (
            f"{one.urgency} → {book.alerts[one.urgency].tells}",
            f"{percent_text(one.budget)} of a month's error budget",
            spell(one.within),
        )
        for one in burn.windows
    ]
    lines = bullets(
        [
            (
                f"Evaluated {each(how.evaluated_every)}; error rate and latency over "
                f"{spell(how.rates_over)}. A level must be passed for {spell(how.lasting)} unless "
                f"its rule says how long; an event is told for {spell(how.events_shown)}."
            ),
            f"A share of fewer than {how.min_requests} requests alarms nobody.",
            (f"A crash loop is {loop.restarts} or more restarts within {spell(loop.within)}."),
            f"Budgets are also looked at over the last 1/{burn.short_window} of each time below.",
        ]
    )
    return f"{lines}\n{table(('Alert', 'When more is spent than', 'Within'), rows)}"


def _oncall(book: Playbook) -> str:
    duty, pay = book.oncall, book.oncall.pay
    return bullets(
        [
            (
                f"First responder for {spell(duty.primary_rotation)}, second responder for "
                f"{spell(duty.secondary_rotation)}; covered {duty.coverage}."
            ),
            f"A page is answered within {spell(duty.respond_within)}.",
            *duty.duties,
            (
                f"Pay: {money(pay.stipend)} for {spell(pay.stipend_per)}; overtime in incidents: "
                f"{yes(pay.overtime)}; time off for work after hours: {yes(pay.comp_time)}."
            ),
        ]
    )


def changes(book: Playbook) -> str:
    """Return how a change reaches production, and how it is undone."""
    way, hotfix, back, work = (
        book.deployments,
        book.deployments.hotfix,
        book.rollback,
        book.maintenance,
    )
    release = bullets(
        [
            f"Stages: {' → '.join(way.stages)}.",
            (
                f"{way.approvals} approvals; pipeline: {way.pipeline}; {way.strategy} release, "
                "watched "
                f"for {spell(way.soak)}; rolled back {way.rollback}."
            ),
            (
                f"Hotfix: agreed by {hotfix.approval_from}; staging may be skipped: "
                f"{yes(hotfix.may_skip_staging)}, only if {hotfix.only_if}."
            ),
            f"Planned work is announced {spell(work.notice)} ahead (section 1.1).",
        ]
    )
    undo = bullets(
        [
            *(f"By itself on {title(name)}: {condition(c)}" for name, c in back.triggers.items()),
            *(f"By hand: `{command}`" for command in back.commands),
            f"Done in less than {spell(back.target)}, at worst in {spell(back.worst_case)}.",
        ]
    )
    return f"### 6.1 Release\n\n{release}\n### 6.2 Rollback\n\n{undo}"


def support(book: Playbook) -> str:
    """Return how soon each tier's tickets are answered, and by which ways."""
    severities = list(book.severities)
    rows = [
        (book.tiers[name].title, *(promised(terms.response[one]) for one in severities))
        for name, terms in book.support.items()
    ]
    ways = bullets(
        f"{book.tiers[name].title}: {_ways(terms)}" for name, terms in book.support.items()
    )
    return (
        f"### 9.1 First answer within\n\n{table(('Tier', *severities), rows)}\n"
        f"### 9.2 Ways to reach us\n\n{ways}"
    )


def _ways(terms: SupportTerms) -> str:
    ways = [*terms.channels]
    ways += [f"mail to {terms.email}"] if terms.email else []
    ways += [f"telephone {terms.phone_hours}"] if terms.phone_hours else []
    ways += [f"{meeting.title} {meeting.every}" for meeting in terms.meetings]
    return listed(ways)


def improvement(book: Playbook) -> str:
    """Return what is measured to become better, what is reviewed when, and who answers."""
    platform, customers, flow = book.kpis.platform, book.kpis.customers, book.kpis.efficiency
    tickets, reviews, contacts = customers.tickets_resolved_within, book.reviews, book.contacts
    resolved = listed(f"{spell(t)} for {name}" for name, t in platform.resolve_within.items())
    figures = [
        ("Uptime", percent_text(platform.uptime)),
        ("Mean time to detect", f"< {spell(platform.detect_within)}"),
        ("Mean time to resolve", f"< {resolved}"),
        ("Net promoter score", f"> {customers.nps_above}"),
        ("Tickets resolved (Professional)", f"< {spell(tickets.professional)}"),
        ("Tickets resolved (Enterprise, sev1)", f"< {spell(tickets.enterprise_sev1)}"),
        ("Deployments", str(flow.deployments)),
        ("Changes that fail", f"< {percent_text(flow.change_failure_below)}"),
        ("From merge to production", f"< {spell(flow.to_production_within)}"),
    ]
    rounds = bullets(
        [
            f"Weekly: {listed(reviews.weekly)}",
            f"Monthly: {listed(reviews.monthly)}",
            f"Quarterly: {listed(reviews.quarterly)}",
        ]
    )
    reach = bullets(
        [
            f"Operations: {contacts.operations}",
            f"On call: {contacts.oncall_hotline}",
            f"Status: {contacts.status_page}",
        ]
    )
    return (
        f"### 10.1 Figures\n\n{table(('Figure', 'Goal'), figures)}\n"
        f"### 10.2 Reviews\n\n{rounds}\n### Contacts\n\n{reach}"
    )
