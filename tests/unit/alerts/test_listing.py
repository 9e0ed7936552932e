"""What a person at the terminal reads of alerts."""

from datetime import UTC, datetime, timedelta

from ai_agent_mesh.cli.alert import recent, told
from ai_agent_mesh.operations.alerts import Alert, AlertView, view
from ai_agent_mesh.playbook import Tells, Urgency

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert(began: timedelta, ended: timedelta | None = None) -> AlertView:
    """Return an alert that began, and perhaps ended, so long ago."""
    since = NOW - began
    return view(
        Alert(
            id="alr_a",
            rule="critical/api_error_rate",
            name="ApiErrorRate",
            urgency=Urgency.CRITICAL,
            tells=Tells.PAGE,
            objective=None,
            summary="The share of API calls that failed by our fault is above its level. " * 2,
            since=since,
            fired_at=since,
            resolved_at=None if ended is None else NOW - ended,
        )
    )


def test_what_fires_is_told_with_what_to_do_on_lines_that_fit_a_terminal() -> None:
    lines = list(told([alert(HOUR), alert(3 * HOUR, 2 * HOUR), alert(26 * HOUR, HOUR)]))
    assert max(map(len, lines)) <= 80
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads == [
        "firing   critical ApiErrorRate         since 2026-11-26 11:00 UTC",
        "resolved critical ApiErrorRate         2026-11-26 09:00 to 10:00 UTC",
        "resolved critical ApiErrorRate         2026-11-25 10:00 to 2026-11-26 11:00 UTC",
    ]
    assert [line.strip() for line in lines if "runbooks" in line] == [
        "What to do: docs/runbooks.md#api-error-rate"
    ]


def test_what_has_been_over_for_a_day_is_counted_and_not_listed() -> None:
    firing, over, past = alert(99 * HOUR), alert(30 * HOUR, 23 * HOUR), alert(30 * HOUR, 24 * HOUR)
    assert recent([firing, over, past], NOW) == [firing, over]
    assert list(told([], older=1)) == [
        "Nothing alarms, and nothing did within a day.",
        "Over for more than a day: 1. `--all` lists them.",
    ]
