"""Section 2 of the document: severities, an incident's way, who is told."""

from ai_agent_mesh.playbook.markdown.words import (
    bullets,
    each,
    listed,
    promised,
    spell,
    table,
    title,
)
from ai_agent_mesh.playbook.schema import Playbook


def incidents(book: Playbook) -> str:
    """Return how incidents are graded, handled and told."""
    return "\n".join(
        [
            "### 2.1 Severities\n",
            _severities(book),
            "### 2.2 The way of an incident\n",
            _way(book),
            "### 2.3 Who is told, and where\n",
            _told(book),
        ]
    )


def _severities(book: Playbook) -> str:
    rows = [
        (
            f"**{name}** {terms.title}",
            "; ".join(terms.when),
            promised(terms.respond_within),
            spell(terms.resolve_within),
            f"{each(terms.update_every)}",
        )
        for name, terms in book.severities.items()
    ]
    return table(("Severity", "When", "Response within", "Resolved within", "Updates"), rows)


def _way(book: Playbook) -> str:
    way = book.incidents
    found, triage, review = way.detection, way.triage, way.post_mortem
    clocks = listed(f"{spell(within)} for {name}" for name, within in triage.within.items())
    steps = {
        "Detection": f"by {listed(found.monitors)}; from customers through "
        f"{listed(found.customers)}; {found.team}",
        "Triage": f"within {clocks}: {_steps(triage.steps)}. Its channel is named `{way.channel}`",
        "Investigation": f"gather {listed(way.investigation.gather)}; "
        f"{_steps(way.investigation.steps)}",
        "Mitigation": _steps(way.mitigation.steps),
        "Resolution": _steps(way.resolution.steps),
        "Post-mortem": f"within {spell(review.within)} of resolution; "
        f"it holds {listed(review.holds)}",
    }
    order = " → ".join(title(stage) for stage in way.lifecycle)
    return f"{order}\n\n" + bullets(f"**{name}**: {text}" for name, text in steps.items())


def _steps(steps: tuple[str, ...]) -> str:
    return "; ".join(step[:1].lower() + step[1:] for step in steps)


def _told(book: Playbook) -> str:
    page, contact = book.status_page, book.enterprise_contact
    return bullets(
        [
            f"Everybody: {page.url}, with {listed(page.offers)}.",
            (
                f"Enterprise: {contact.slack_channel} Slack channel, telephone for "
                f"{listed(contact.phone_for)}, {contact.account_manager} account manager."
            ),
        ]
    )
