"""Section 1 of the document: uptime, credits, latency, throughput, durability."""

from fractions import Fraction

from ai_agent_mesh.kernel.spans import MINUTE, Month
from ai_agent_mesh.playbook.markdown.words import (
    bullets,
    downtime,
    each,
    listed,
    size,
    spell,
    table,
    title,
)
from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.schema.promises import Tier
from ai_agent_mesh.playbook.units import WINDOW
from ai_agent_mesh.sla import allowed_budget, percent_text


def promises(book: Playbook, month: Month) -> str:
    """Return what each tier is promised, with the downtime that `month` allows."""
    return "\n".join(
        [
            "### 1.1 Uptime\n",
            _uptime(book, month),
            _measured(book),
            "### 1.2 Speed and throughput\n",
            _speed(book),
            "### 1.3 Safety of data\n",
            _durability(book),
        ]
    )


def _uptime(book: Playbook, month: Month) -> str:
    year = Fraction(book.measurement.year / MINUTE)
    rows = [
        (
            f"**{tier.title}**",
            percent_text(tier.uptime),
            downtime(allowed_budget(tier.uptime, month.minutes)),
            downtime(allowed_budget(tier.uptime, year)),
            f"`{tier.method}`",
        )
        for tier in book.tiers.values()
    ]
    yearly = f"Downtime in a year ({downtime(year)})"
    heads = ("Tier", "Uptime", f"Downtime in {month}", yearly, "Method")
    ladders = [_credits(tier) for tier in book.tiers.values() if tier.credits]
    return "\n".join([table(heads, rows), *ladders])


def _credits(tier: Tier) -> str:
    rows = [
        (f"{percent_text(step.at_least)} or more, but less than {percent_text(step.below)}",
         f"{percent_text(step.credit)} of the monthly fee")
        for step in tier.credits or ()
    ]  # fmt: skip
    heads = (f"Uptime reached ({tier.title})", "Paid back")
    return table(heads, rows)


def _measured(book: Playbook) -> str:
    rule, work = book.measurement, book.maintenance
    probe, callers = rule.probe, rule.unknown_callers
    excluded = "leaves the figures" if rule.maintenance_excluded else "counts like any other time"
    return bullets(
        [
            f"Judged over the {rule.window}, from 00:00 UTC on its first day.",
            f"Services judged: {listed(rule.services)}; the platform is down when one of them is.",
            (
                f"Maintenance announced {spell(work.notice)} ahead {excluded} (denominator: "
                f"{rule.denominator}). It usually takes place {WINDOW.write(work.window)}; its "
                "impact "
                f"is {work.impact}: {work.how}."
            ),
            (
                f"By `period` a minute is lost in a run of {rule.consecutive} or more minutes "
                "that each "
                f"have {rule.min_requests} or more valid requests, over "
                f"{percent_text(rule.error_threshold)} of them bad. By `intervals` the good "
                "share of "
                f"every {spell(rule.interval)} is averaged."
            ),
            (
                f"A probe tries each service {each(probe.interval)} and waits "
                f"{spell(probe.run_wait)} for a run; a minute without it is lost."
            ),
            (
                f"Beyond {callers.refusals_per_second} refusals a second from one address, "
                f"{callers.counted_per_second} a second is counted for all."
            ),
            f"Clocks that differ by more than {spell(rule.clock_difference)} make us not ready.",
            f"A call is numbered in the ledger within {spell(rule.sequenced_within)}.",
            f"A closed month is corrected for {spell(rule.corrected_within)}.",
        ]
    )


def _speed(book: Playbook) -> str:
    rows = [
        (title(name), *(f"< {spell(value)}" for value in (goal.p50, goal.p95, goal.p99)))
        for name, goal in book.latency.items()
    ]
    limits = [f"{tier.title}: {_throughput(tier)}" for tier in book.tiers.values()]
    keys = book.keys
    rest = [
        (
            f"A request may have {size(book.limits.request_bytes)}; how many are allowed depends "
            "on "
            f"the {book.limits.rate_limited_by}."
        ),
        (
            f"An API key lives {spell(keys.rotation)} at most; {keys.live_at_most} may live at a "
            "time, "
            f"and its owner is warned {listed(map(spell, keys.warn_before))} before its end."
        ),
    ]
    return f"{table(('Endpoints', 'p50', 'p95', 'p99'), rows)}\n{bullets([*limits, *rest])}"


def _throughput(tier: Tier) -> str:
    fair = ", within fair use" if tier.fair_use else ""
    if tier.requests_per_minute is None:
        return f"as many requests as needed{fair}"
    return f"{tier.requests_per_minute:,} requests a minute{fair}"


def _durability(book: Playbook) -> str:
    data = book.durability
    rows = [
        (
            tier.title,
            spell(tier.backup_retention),
            spell(tier.recovery_time) if tier.recovery_time else "not promised",
        )
        for tier in book.tiers.values()
    ]
    lines = [
        f"Written data survives a year with {percent_text(data.database)} certainty.",
        f"At most the last {spell(data.recovery_point)} of writing may be lost.",
    ]
    heads = ("Tier", "Backups kept", "Running again within")
    return f"{bullets(lines)}\n{table(heads, rows)}"
