"""What the command makes of its options, before and after any file is read."""

import pytest
from tests.unit.replay.conftest import Write

from ai_agent_mesh.cli.console import complain
from ai_agent_mesh.cli.offline import compute
from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.kernel.spans import Month
from ai_agent_mesh.sla import TierName

CALL = "at,tenant,service,category,status,latency_ms\n2026-09-05T00:00:00Z,acme,api,other,200,1\n"


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("", None, "--since must be a day, or a moment"),
        (None, "", "--until must be a day, or a moment"),
        ("2026-10-01", None, "--since must lie in 2026-09"),
        (None, "2026-09-01", "--until must lie in 2026-09"),
        ("2026-09-05", "2026-09-04", "leave no whole minute of 2026-09"),
        ("2026-09-05", "2026-09-05", "leave no whole minute of 2026-09"),
        ("2026-09-30T23:59:00.000001Z", None, "leave no whole minute of 2026-09"),
    ],
)
def test_a_span_without_a_minute_is_refused(
    write: Write, since: str | None, until: str | None, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        compute("2026-09", TierName.FREE, [write("calls.csv", CALL)], since=since, until=until)


@pytest.mark.parametrize("text", ["2026-9", "2026-13", "0000-01", "9999-12", "2026-09-01", ""])
def test_what_is_no_month_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    with pytest.raises(Invalid) as refused:
        Month.parse(text)
    complain(refused.value)
    assert capsys.readouterr().err == f"mesh: {text!r} is not a month; write it as YYYY-MM.\n"


def test_one_mistake_takes_one_line_and_several_take_one_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mistakes = [Fault("a:1:1 x", "is no key"), Fault("a:2:1 y", "is zero")]
    complain(Invalid("It cannot be used.", faults=mistakes[:1]))
    complain(Invalid("It cannot be used.", faults=mistakes))
    assert capsys.readouterr().err.splitlines() == [
        "mesh: It cannot be used: a:1:1 x: is no key",
        "mesh: It cannot be used.",
        "  a:1:1 x: is no key",
        "  a:2:1 y: is zero",
    ]
