"""Where a month that is not over is heading, by a rule that anybody can follow."""

from collections.abc import Sequence
from fractions import Fraction

from ai_agent_mesh.kernel.spans import Span
from ai_agent_mesh.operations.statements import figuring
from ai_agent_mesh.operations.statements.figuring import Purse, Ruling
from ai_agent_mesh.operations.statements.model import Tenure
from ai_agent_mesh.operations.statements.statement import Outlook, Projection
from ai_agent_mesh.sla import credit_percent, percent_text


def projected(rulings: Sequence[Ruling], asked: Span, before: Sequence[Purse]) -> Projection | None:
    """Return both outlooks of an asked span; None when it is over or nothing was judged.

    `before` are the credits of all parts but the last.
    """
    last = rulings[-1]
    judged, until = last.judgement.platform, last.tenure.span.until
    if until >= asked.until or not judged.counted:
        return None
    return Projection(
        until=asked.until,
        minutes_ahead=last.ahead,
        if_nothing_more_fails=_outlook(rulings, judged.lost, asked, before),
        if_it_goes_on=_outlook(
            rulings, judged.lost * (judged.counted + last.ahead) / judged.counted, asked, before
        ),
    )


def _outlook(
    rulings: Sequence[Ruling], lost: Fraction, asked: Span, before: Sequence[Purse]
) -> Outlook:
    """Return what follows when the last part loses so many minutes by its end."""
    *closed, last = rulings
    minutes = last.judgement.platform.counted + last.ahead
    share = 1 - lost / minutes
    over = [one.judgement.platform for one in closed]
    all_lost = lost + sum((one.lost for one in over), Fraction(0))
    counted = minutes + sum(one.counted for one in over)
    kept = share >= last.tier.uptime and figuring.met(figuring.platform(closed)) is not False
    due = credit_percent(share, last.tier.ladder) if last.tier.ladder else None
    fee = figuring.fee_of(_until(last.tenure, asked))
    credit = {} if due is None else {name: due * amount for name, amount in fee.items()}
    return Outlook(
        availability=percent_text(1 - all_lost / counted),
        met=kept,
        credit_percent=None if due is None else figuring.decimal_text(due * 100),
        credit=figuring.amounts(figuring.added([*before, credit])),
    )


def _until(tenure: Tenure, asked: Span) -> Tenure:
    """Return a tenure that lasts to the end of what was asked for, at its present fee."""
    rest = (Span(tenure.span.until, asked.until), tenure.fees[-1][1] if tenure.fees else None)
    return Tenure(tenure.tier, Span(tenure.span.since, asked.until), (*tenure.fees, rest))
