"""How a command reaches the wired mesh of this machine, acts for a tenant, and speaks."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from ai_agent_mesh.kernel.errors import Fact, Invalid

if TYPE_CHECKING:
    from ai_agent_mesh.plumbing.http import Unit
    from ai_agent_mesh.plumbing.postgres import Tx
    from ai_agent_mesh.wiring import Mesh

T = TypeVar("T")

#: Options that many commands share.
Json = Annotated[bool, typer.Option("--json", help="Answer with JSON.")]
Tenant = Annotated[
    str, typer.Option("--tenant", "-t", envvar="MESH_TENANT", help="A tenant's id or name.")
]


class Form(StrEnum):
    """How figures are told."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def with_mesh(work: Callable[["Mesh"], Awaitable[T]]) -> T:
    """Open the mesh that the environment describes, do the work, close it; return its result."""
    from ai_agent_mesh.settings import Settings
    from ai_agent_mesh.wiring import Mesh

    async def opened() -> T:
        async with Mesh.open(Settings.read(), roomy=False) as mesh:
            return await work(mesh)

    return asyncio.run(opened())


@dataclass
class Act:
    """A change made at the console: its unit of work, and what its ledger entry will say.

    `tx` is for what waits on nothing outside; an act that does asks the unit again afterwards.
    """

    unit: "Unit"
    tx: "Tx"
    object: str | None = None
    detail: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def acting(mesh: "Mesh", tenant_id: str, verb: str) -> AsyncIterator[Act]:
    """Open a tenant's transaction for one change, and leave an `act` entry in it.

    `verb` names the change, such as `key.revoke`; the change and its entry are in or out together.
    """
    from ai_agent_mesh.kernel.ids import new_id
    from ai_agent_mesh.plumbing.http import Unit
    from ai_agent_mesh.plumbing.postgres import AWAY, DatabaseAway
    from ai_agent_mesh.product.ledger import Entry, Inbox, Kind

    unit = Unit(mesh.app, tenant_id)
    try:
        act = Act(unit, await unit.begin())
        yield act
        entry = Entry(
            id=new_id("ent"),
            kind=Kind.ACT,
            tenant=tenant_id,
            at=mesh.clock.now(),
            actor=operator(),
            object=act.object,
            playbook=mesh.playbook.digest,
            detail={"act": verb, **act.detail},
        )
        await Inbox.insert(await unit.begin(), entry)
        await unit.settle()
    except AWAY as error:
        raise DatabaseAway from error
    finally:
        await unit.undo()


async def tenant_named(mesh: "Mesh", text: str) -> str:
    """Return the id of the tenant that `text` names by id or by name.

    Raises:
        TenantMissing: there is none.
    """
    from ai_agent_mesh.product.identity import find_tenant

    return (await find_tenant(mesh.operations, text)).id


def speak(value: object, *, as_json: bool, text: Callable[[], str]) -> None:
    """Print `value` as JSON, or what `text` makes of it for a person."""
    print(msgspec.json.encode(value, enc_hook=str).decode() if as_json else text())


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows in aligned columns under their heads, ready to print."""
    cells = [[str(head).upper() for head in heads]]
    cells += [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def complain(fact: Fact) -> None:
    """Say on stderr, in one line, what is wrong and where; several mistakes get a line each."""
    faults = fact.faults if isinstance(fact, Invalid) else ()
    untold = [f"{each.place}: {each.reason}" for each in faults if each.reason not in fact.detail]
    if len(untold) == 1:
        print(f"mesh: {fact.detail.rstrip('.')}: {untold[0]}", file=sys.stderr)
        return
    print("\n  ".join([f"mesh: {fact.detail}", *untold]), file=sys.stderr)


def operator() -> str:
    """Return who acts here, as the ledger names them: by their account on this machine."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"console:{name}"
