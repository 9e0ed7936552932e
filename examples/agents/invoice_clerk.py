"""An A2A agent that checks an invoice's arithmetic and books it, each booking once.

python -m examples.agents.invoice_clerk --port 0 --journal bookings.jsonl
"""

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from a2a.types import AgentSkill
from examples.agents.serving import Agent, Answer, Refused, run

AMOUNT = r"(-?\d[\d,]*\.\d{2})"
LINE = re.compile(rf"^\s*(\d+)\s*[x×]\s*(.+?)\s*@\s*{AMOUNT}\s*=\s*{AMOUNT}\s*$", re.MULTILINE)
TAX = re.compile(
    rf"^\s*(?:VAT|tax)\s*(\d+(?:\.\d+)?)\s*%\s*:\s*{AMOUNT}", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True)
class Invoice:
    """What stands on the paper, not what should."""

    number: str
    supplier: str
    currency: str
    lines: tuple[tuple[int, str, Decimal, Decimal], ...]
    subtotal: Decimal | None
    tax: tuple[Decimal, Decimal] | None
    total: Decimal


def read(text: str) -> Invoice:
    """Read an invoice written one thing a line; Refused says what is missing."""
    number = _after(r"invoice(?:\s+(?:no\.?|number))?", text, r"([A-Z0-9][\w/-]*)")
    total = _after(r"total", text, AMOUNT)
    if number is None or total is None:
        raise Refused("This is not an invoice: it needs a line 'Invoice: …' and a line 'Total: …'.")
    subtotal = _after(r"subtotal", text, AMOUNT)
    tax = TAX.search(text)
    return Invoice(
        number=number,
        supplier=_after(r"(?:supplier|from)", text, r"(.+)") or "unknown",
        currency=_after(r"currency", text, r"([A-Z]{3})") or "USD",
        lines=tuple(
            (int(count), name, _amount(price), _amount(sum_))
            for count, name, price, sum_ in LINE.findall(text)
        ),
        subtotal=None if subtotal is None else _amount(subtotal),
        tax=None if tax is None else (Decimal(tax[1]), _amount(tax[2])),
        total=_amount(total),
    )


def flags_of(invoice: Invoice) -> list[str]:
    """Name every sum that does not add up; an empty list means that all do."""
    flags = [
        f"{count} x {name} at {price} is {count * price}, not {stated}"
        for count, name, price, stated in invoice.lines
        if count * price != stated
    ]
    if not invoice.lines:
        flags.append("there are no lines to check the total against")
    lines = sum((count * price for count, _, price, _ in invoice.lines), Decimal(0))
    if invoice.subtotal is not None and invoice.subtotal != lines:
        flags.append(f"the lines add up to {lines}, not {invoice.subtotal}")
    tax = Decimal(0)
    if invoice.tax is not None:
        rate, stated = invoice.tax
        tax = (lines * rate / 100).quantize(Decimal("0.01"))
        if tax != stated:
            flags.append(f"{rate} % of {lines} is {tax}, not {stated}")
    if lines + tax != invoice.total:
        flags.append(f"the total should be {lines + tax}, not {invoice.total}")
    return flags


async def work(given: dict[str, Any]) -> Answer:
    """Do the act that was asked for: `check` (only computes) or `book` (changes the books)."""
    act = given.get("act") or "check"
    if act not in {"check", "book"}:
        raise Refused(f"There is no act {act!r}; there are check and book.")
    text = str(given.get("text", ""))
    invoice = read(text)
    flags = flags_of(invoice)
    data: dict[str, Any] = {
        "act": act,
        "number": invoice.number,
        "supplier": invoice.supplier,
        "currency": invoice.currency,
        "lines": len(invoice.lines),
        "total": str(invoice.total),
        "flags": flags,
        "ok": not flags,
    }
    if act == "book":
        data["booking"] = "BK-" + hashlib.sha256(text.encode()).hexdigest()[:8].upper()
        return Answer(data, f"Booked invoice {invoice.number} as {data['booking']}.")
    verdict = "adds up" if not flags else "does not add up: " + "; ".join(flags)
    return Answer(data, f"Invoice {invoice.number} {verdict}.")


def _after(label: str, text: str, value: str) -> str | None:
    found = re.search(rf"^\s*{label}\s*[:#]\s*{value}", text, re.MULTILINE | re.IGNORECASE)
    return None if found is None else found[1].strip()


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


AGENT = Agent(
    name="invoice-clerk",
    description="Checks the arithmetic of an invoice and books it.",
    skills=(
        AgentSkill(
            id="check",
            name="Check an invoice",
            description="Adds up its lines, tax and total, and flags what is wrong.",
            tags=["invoice", "check"],
            examples=['{"act": "check", "text": "Invoice: A-1\\n2 x Chair @ 40.00 = 80.00\\n…"}'],
        ),
        AgentSkill(
            id="book",
            name="Book an invoice",
            description="Enters it in the books: an outside effect, once per idempotency key.",
            tags=["invoice", "effect"],
        ),
    ),
    work=work,
    effects=frozenset({"book"}),
    as_task=True,
    rest_first=True,
)

if __name__ == "__main__":
    run(AGENT)
