"""`mesh sla compute` and `mesh sla whatif` over files: nothing but the base install is needed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from ai_agent_mesh.cli.console import Json, speak, with_mesh
from ai_agent_mesh.cli.moments import moment
from ai_agent_mesh.kernel.errors import Fault, Invalid
from ai_agent_mesh.kernel.spans import Month, Span, whole_minutes
from ai_agent_mesh.sla import Denominator, Method, TierName

if TYPE_CHECKING:
    from ai_agent_mesh.kernel.money import Money
    from ai_agent_mesh.operations.replay import Files, Priced
    from ai_agent_mesh.playbook import Playbook
    from ai_agent_mesh.wiring import Mesh


# Both repeat what lies deeper, with `all` beside the methods: an option needs its choices before
# DuckDB, which `replay` loads, is worth its time; a unit test holds them to it.
class MethodChoice(StrEnum):
    """A method, or all of them side by side."""

    PERIOD = "period"
    INTERVALS = "intervals"
    ALL_FAIL = "all-fail"
    REQUESTS = "requests"
    ALL = "all"


class FormatChoice(StrEnum):
    """How the records are written."""

    CSV = "csv"
    PARQUET = "parquet"
    NDJSON = "ndjson"
    NGINX = "nginx"
    ENVOY = "envoy"
    LEDGER = "ledger"


class OutsideMonth(Invalid):
    """{option} must lie in {month}."""


class NoWholeMinute(Invalid):
    """--since and --until leave no whole minute of {month}."""


Records = Annotated[
    list[str] | None,
    typer.Option("--records", metavar="FILE", help="Calls; - for standard input; may be repeated."),
]
Minutes = Annotated[
    list[str] | None,
    typer.Option("--minutes", metavar="FILE", help="Counts by minute, in place of calls."),
]
MonthText = Annotated[str, typer.Option("--month", help="A month, such as 2026-09.")]
Tier = Annotated[TierName, typer.Option("--tier", help="Whose promise is held against it.")]
OneTenant = Annotated[
    str | None, typer.Option("--tenant", "-t", help="Judge its calls and the probe's alone.")
]
HowWritten = Annotated[
    FormatChoice | None,
    typer.Option("--format", help="csv, parquet, ndjson and ledger are recognised without it."),
]
Works = Annotated[
    str | None, typer.Option("--maintenance", metavar="FILE", help="Announced maintenance.")
]
Since = Annotated[str | None, typer.Option(help="The tenant began here (RFC 3339).")]
Until = Annotated[str | None, typer.Option(help="The records end here (RFC 3339).")]
Book = Annotated[Path | None, typer.Option("--playbook", metavar="FILE", help="Another playbook.")]
Paths = Annotated[
    Path | None,
    typer.Option("--paths", metavar="FILE", help="Which paths of a log are which service."),
]


def compute(  # noqa: PLR0917 - options, not arguments
    month: MonthText,
    tier: Tier,
    records: Records = None,
    minutes: Minutes = None,
    tenant: OneTenant = None,
    method: Annotated[
        MethodChoice | None, typer.Option(help="In place of the tier's; all: side by side.")
    ] = None,
    denominator: Annotated[
        Denominator | None, typer.Option(help="What excluded minutes leave.")
    ] = None,
    how: HowWritten = None,
    maintenance: Works = None,
    since: Since = None,
    until: Until = None,
    playbook: Book = None,
    paths: Paths = None,
    as_json: Json = False,
) -> None:
    """Compute availability, budget, latency and credit from anyone's records, without a server."""
    from ai_agent_mesh.operations.replay import (
        Answers,
        Asked,
        Replay,
        answers,
        as_lines,
        side_by_side,
        under,
    )

    judged, book, given = Month.parse(month), _playbook(playbook), playbook is not None
    asked = Asked(_span(judged, since, until), tenant)
    files = _files(records, minutes, how, maintenance, paths, tenant)
    named = Method(method.value) if method and method is not MethodChoice.ALL else None
    methods = tuple(Method) if method is MethodChoice.ALL else (named,)
    with _progress() as tick, Replay(files, asked, book, tick, given=given) as replay:
        books = [under(replay.playbook, tier, each, denominator) for each in methods]
        found = answers(replay.evidence(), replay.reading(), judged, tenant, tier, books)
    if method is not MethodChoice.ALL:
        speak(found[0], as_json=as_json, text=lambda: as_lines(found[0]))
    else:
        whole = Answers(str(judged), tier.value, found[0].denominator, tuple(found))
        speak(whole, as_json=as_json, text=lambda: side_by_side(found))


def _files(
    records: list[str] | None,
    minutes: list[str] | None,
    how: FormatChoice | None,
    maintenance: str | None,
    paths: Path | None,
    tenant: str | None,
) -> "Files":
    from ai_agent_mesh.operations.replay import Files, Form, Format, read_paths

    if bool(records) == bool(minutes):
        raise typer.BadParameter("give --records or --minutes")
    written = Format(how.value) if how else None
    if paths and written not in {Format.NGINX, Format.ENVOY}:
        raise typer.BadParameter("--paths goes with --format nginx or envoy")
    form = Form.RECORDS if records else Form.MINUTES
    table = read_paths(paths) if paths else ()
    files = Files(tuple(records or minutes or ()), form, written, table, maintenance)
    if tenant is not None and not files.name_tenants:
        raise typer.BadParameter("--tenant needs records that name tenants")
    return files


def _playbook(path: Path | None) -> "Playbook":
    """Return the one that was given, or this installation's."""
    from ai_agent_mesh.playbook import load
    from ai_agent_mesh.settings import Settings

    return load(path or Settings.read().playbook)


def _span(month: Month, since: str | None, until: str | None) -> Span:
    """Return the whole minutes of a month that are judged."""
    begins = month.since if since is None else moment("since", since)
    ends = month.until if until is None else moment("until", until)
    if begins >= month.until or ends <= month.since:
        option = "--since" if begins >= month.until else "--until"
        fault = Fault(option.removeprefix("--"), f"must lie in {month}")
        raise OutsideMonth(option=option, month=str(month), faults=[fault])
    first, last = max(begins, month.since), min(ends, month.until)
    span = whole_minutes(Span(first, max(first, last)))
    if not span.length:
        raise NoWholeMinute(month=str(month))
    return span


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """Tell on stderr what share is read, once it takes longer than a second."""
    began, shown = monotonic(), False

    def tick(share: float) -> None:
        nonlocal shown
        if sys.stderr.isatty() and monotonic() - began > 1:
            shown = True
            print(f"\rReading: {share:4.0%}", end="", file=sys.stderr, flush=True)

    yield tick
    if shown:
        print("\r" + " " * 20 + "\r", end="", file=sys.stderr, flush=True)


Fee = Annotated[
    str | None, typer.Option("--fee", metavar="AMOUNT", help="A monthly fee, such as '500 USD'.")
]
Months = Annotated[list[str], typer.Option("--month", help="A past month; may be repeated.")]


def whatif(  # noqa: PLR0917 - options, not arguments
    change: Annotated[Path, typer.Argument(metavar="PLAYBOOK", help="The changed playbook.")],
    month: Months,
    records: Records = None,
    minutes: Minutes = None,
    tier: Annotated[
        TierName | None, typer.Option("--tier", help="With files: whose promise it is.")
    ] = None,
    tenant: OneTenant = None,
    fee: Fee = None,
    how: HowWritten = None,
    maintenance: Works = None,
    playbook: Book = None,
    paths: Paths = None,
    as_json: Json = False,
) -> None:
    """Price a changed playbook against past months: of files, or of this platform's tenants."""
    from ai_agent_mesh.operations.replay import changed, whatif_lines

    months = [Month.parse(text) for text in month]
    if len(set(months)) < len(months):
        raise typer.BadParameter("each --month is priced once; one stands there twice")
    before, after, given = _playbook(playbook), _playbook(change), playbook is not None
    if records or minutes:
        if tier is None:
            raise typer.BadParameter("files need --tier")
        files = _files(records, minutes, how, maintenance, paths, tenant)
        sides = before, after
        found, before = _of_files(files, months, tier, tenant, _fee(fee), sides, given=given)
    elif how or maintenance or paths or tier or fee:
        raise typer.BadParameter(
            "--tier, --fee and how files are read go with --records or --minutes"
        )
    else:
        found = _of_platform(months, tenant, before if given else None, after)
    whole = changed(before, after, found)
    speak(whole, as_json=as_json, text=lambda: whatif_lines(whole))


def _of_files(
    files: "Files", months: list[Month], tier: TierName, tenant: str | None, fee: "Money | None",
    sides: "tuple[Playbook, Playbook]", *, given: bool,
) -> "tuple[list[Priced], Playbook]":  # fmt: skip
    """Price each month against the playbook that judged it; return the last month's as well."""
    from ai_agent_mesh.operations.replay import Asked, Replay, priced, stated

    found, (installed, after) = [], sides
    before = installed
    for month in months:
        asked = Asked(month.span, tenant, apart=tenant is None and files.name_tenants)
        with _progress() as tick, Replay(files, asked, installed, tick, given=given) as replay:
            before = replay.playbook
            for name in replay.tenants():
                evidence = replay.evidence(name)
                each = [stated(evidence, month, tier, book, fee) for book in (before, after)]
                found.append(priced(str(month), tenant or name or None, *each))
    return found, before


def _of_platform(
    months: list[Month], tenant: str | None, before: "Playbook | None", after: "Playbook"
) -> "list[Priced]":
    """Price each month as it was judged, or as another playbook would have, against `after`."""

    async def read(mesh: "Mesh") -> "list[Priced]":
        from ai_agent_mesh.operations.objectives import Objectives
        from ai_agent_mesh.operations.replay import priced

        sides = [
            Objectives(mesh.operations, book or mesh.playbook, mesh.clock, supposed=bool(book))
            for book in (before, after)
        ]
        names, found = [tenant] if tenant else await sides[0].tenants(), []
        for month in months:
            for name in names:
                was, becomes = [await one.statement(name, month) for one in sides]
                if was.minutes.total:  # else it had not begun
                    found.append(priced(str(month), was.tenant_name, was, becomes))
        return found

    return with_mesh(read)


def _fee(text: str | None) -> "Money | None":
    from ai_agent_mesh.playbook.units import MONEY

    if text is None:
        return None
    try:
        return MONEY.read(text)
    except ValueError as error:
        raise typer.BadParameter(f"--fee is {text!r}; expected {MONEY.expected}") from error
