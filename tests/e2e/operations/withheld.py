"""A month with planned work, called off in part, and ways to hide what was said of it."""

import base64
import json
from collections.abc import Callable

from tests.e2e.operations.conftest import Book, at
from tests.e2e.operations.tampering import Lines, Piece, changed, kind, redigested, text
from tests.e2e.operations.test_bundles import announce, bundle_of

from ai_agent_mesh.kernel.clock import FixedClock
from ai_agent_mesh.operations.maintenance import MaintenanceCalendar
from ai_agent_mesh.operations.notices import Due, Notice, Outcome, Topic
from ai_agent_mesh.operations.notices.model import Try
from ai_agent_mesh.operations.notices.rules import entry_of
from ai_agent_mesh.operations.planned import Draft, Maintenance
from ai_agent_mesh.operations.statements.bundle import signed_text
from ai_agent_mesh.plumbing.crypto import Signer
from ai_agent_mesh.product.ledger import Inbox
from ai_agent_mesh.sla import Fault, Service

TAKEN = Outcome()


async def planned(book: Book, signer: Signer) -> Lines:
    """Return the bundle of a tenant that was told of three works, one of which was called off."""
    tenant = await book.tenant("acme", "enterprise", at(0, -90))
    kept = await announce(book, at(0, day=1), Draft(title="Kept", since=at(3), until=at(4)))
    off = await announce(book, at(1, day=1), Draft(title="Called off", since=at(5), until=at(7)))
    async with book.databases.app.tenant("platform") as tx:
        calendar = MaintenanceCalendar(tx, book.playbook, FixedClock(at(0, day=2)), "ops")
        await calendar.cancel(off.id)
    late = Draft(title="Too late", since=at(8), until=at(9), services=[Service.API])
    late_one = await announce(book, at(7), late)
    await tell(book, tenant, kept, "announced")
    await tell(book, tenant, off, "announced", Outcome("it hung up"))
    await tell(book, tenant, off, "cancelled")
    await tell(book, tenant, late_one, "announced")  # within the judged span
    await book.probe(at(0), 10)
    await book.calls(tenant, at(3, 30), fault=Fault.PLATFORM)
    await book.calls(tenant, at(6, 30), fault=Fault.PLATFORM)
    await book.number()
    return await bundle_of(book, signer)


async def tell(
    book: Book, tenant: str, work: Maintenance, what: str, outcome: Outcome = TAKEN
) -> None:
    """Let a delivery of what was announced or cancelled end, two seconds after that."""
    moment = work.announced.at if what == "announced" else at(0, day=2)
    kind = f"maintenance.{what}"
    notice = Notice(f"ntc_{work.title}", Topic.MAINTENANCE, kind, moment, work.id, {})
    tried = Try(2, 1, "https://hooks.acme.example/mesh", "secret")
    ended = moment + (at(0, 2) - at(0))
    entry = entry_of(Due(tenant, "sub_1", notice), tried, outcome, ended, book.playbook.digest)
    async with book.databases.app.tenant(tenant) as tx:
        await Inbox.insert(tx, entry)


def said(fact: str, value: str) -> Callable[[Piece], bool]:
    """Choose the entries whose detail has a fact."""

    def chosen(piece: Piece) -> bool:
        told = json.loads(piece["text"]) if piece["type"] == "entry" else {}
        return bool(told.get("detail", {}).get(fact) == value)

    return chosen


def places(lines: Lines, chosen: Callable[[Piece], bool]) -> list[int]:
    """Return where the chosen lines are."""
    return [at for at, line in enumerate(lines) if chosen(json.loads(line))]


def hidden(lines: Lines, chosen: Callable[[Piece], bool], which: int = -1) -> Lines:
    """Leave the last chosen entry out, with its batch, and let the end not tell."""
    alone = [at for at in places(lines, chosen) if json.loads(lines[at - 1])["type"] == "batch"]
    kept = [*lines[: alone[which] - 1], *lines[alone[which] + 1 :]]
    fewer = {name: json.loads(kept[-1])[name] - 1 for name in ("batches", "entries")}
    return changed(kept, lambda piece: piece["type"] == "end", lambda end: end.update(fewer))


def swapped(lines: Lines, chosen: Callable[[Piece], bool]) -> Lines:
    """Let the first two chosen entries, each with its batch, change places."""
    one, two, *_ = places(lines, chosen)
    pairs = {at: lines[at - 1 : at + 1] for at in (one, two)}
    made = list(lines)
    made[one - 1 : one + 1], made[two - 1 : two + 1] = pairs[two], pairs[one]
    return made


def forged(lines: Lines) -> Lines:
    """Alter the first act and let its digest fit: those after it were bound to another."""
    first = places(lines, acts)[0]
    return [*changed(changed(lines[: first + 1], acts, text("Kept", "Left")), acts, redigested),
            *lines[first + 1 :]]  # fmt: skip


ACT = "act"
ANNOUNCING, CANCELLING = said(ACT, "maintenance.announce"), said(ACT, "maintenance.cancel")
TELLING = said("topic", "maintenance")
TELLING_OF_CANCELLING = said("type", "maintenance.cancelled")


def acts(piece: Piece) -> bool:
    """Choose what announces and cancels."""
    return ANNOUNCING(piece) or CANCELLING(piece)


#: What is done, which check fails first, and where.
WITHHELD: dict[str, tuple[Callable[[Lines], Lines], str, str]] = {
    "the cancellation": (lambda x: hidden(x, CANCELLING), "maintenance", "act 3"),
    "the last announcement": (lambda x: hidden(x, ANNOUNCING), "maintenance", "ent_"),
    "an announcement is altered": (
        lambda x: changed(x, ANNOUNCING, text("Too late", "In time!")), "bytes", "seq ",
    ),
    "an announcement and its digest are altered": (
        lambda x: changed(changed(x, ANNOUNCING, text("Too late", "In time!")), acts, redigested),
        "root", "seq ",
    ),
    "the first announcement is forged": (forged, "root", "seq "),
    "announcements change places": (lambda x: swapped(x, acts), "maintenance", "act 1"),
    "that a cancellation was told": (
        lambda x: hidden(x, TELLING_OF_CANCELLING), "figure", "maintenance.1.notices",
    ),
    "a delivery is altered": (
        lambda x: changed(x, TELLING_OF_CANCELLING, text("delivered", "forgotten")),
        "bytes", "seq ",
    ),
    "deliveries change places": (
        lambda x: swapped(x, said("notice", "delivered")), "figure", "maintenance.1.notices",
    ),
    "another count is stated": (
        lambda x: changed(x, kind("statement"), text('"acts":4', '"acts":3')),
        "figure", "planned_work.acts",
    ),
}  # fmt: skip


def stated_anew(lines: Lines, signer: Signer, change: Callable[[Piece], object]) -> Lines:
    """Let the signer state something else, and sign that."""
    told = json.loads(json.loads(lines[0])["text"])
    change(told)
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    sign = base64.b64encode(signer.sign(signed_text(text.encode()))).decode()
    return changed(lines, kind("statement"), lambda one: one.update(text=text, signature=sign))


def work_of(told: Piece, title: str) -> Piece:
    """Return what a statement says of a work."""
    one: Piece
    (one,) = (work for work in told["maintenance"] if work["title"] == title)
    return one


def uncancelled(lines: Lines, signer: Signer) -> Lines:
    """Let the signer state that nothing was called off, and leave out that it was."""

    def change(told: Piece) -> None:
        off = work_of(told, "Called off")
        off.update(cancelled_at=None, cancel_entry=None, cancel_number=None, excluded_minutes=2)
        told["planned_work"]["acts"] = 3

    return hidden(stated_anew(lines, signer, change), CANCELLING)


def untold(lines: Lines, signer: Signer) -> Lines:
    """Let the signer state that nobody was told, and leave out how it was, but in the ledger."""
    made = stated_anew(lines, signer, lambda told: work_of(told, "Too late").update(notices=[]))

    def chosen(piece: Piece) -> bool:
        entry = json.loads(piece["text"]) if piece["type"] == "entry" else {}
        return bool(entry.get("object") == "ntc_Too late")

    return hidden(made, chosen, which=0)


def older(lines: Lines, signer: Signer) -> Lines:
    """Return the bundle as it was signed before there was a stream of acts."""

    def change(told: Piece) -> None:
        del told["planned_work"]
        for work in told["maintenance"]:
            del work["notices"]

    return stated_anew(lines, signer, change)
