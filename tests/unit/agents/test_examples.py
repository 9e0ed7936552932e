"""The example agents' own work, by hand-computed answers."""

import pytest
from examples.agents import document_analyst, invoice_clerk
from examples.agents.serving import Refused

INVOICE = """Invoice: A-17
From: Northwind Chairs
Currency: EUR
2 x Chair @ 40.00 = 80.00
1 x Table @ 1,120.00 = 1,120.00
Subtotal: 1,200.00
VAT 20%: 240.00
Total: 1,440.00
"""


async def test_an_invoice_that_adds_up_has_no_flags() -> None:
    answer = await invoice_clerk.work({"text": INVOICE})
    assert answer.data["flags"] == []
    assert answer.data["ok"]
    assert (answer.data["number"], answer.data["supplier"]) == ("A-17", "Northwind Chairs")
    assert (answer.data["total"], answer.data["currency"]) == ("1440.00", "EUR")


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("@ 40.00 = 80.00", "@ 40.00 = 81.00", "2 x Chair at 40.00 is 80.00, not 81.00"),
        ("Subtotal: 1,200.00", "Subtotal: 1,000.00", "the lines add up to 1200.00, not 1000.00"),
        ("VAT 20%: 240.00", "VAT 20%: 200.00", "20 % of 1200.00 is 240.00, not 200.00"),
        ("Total: 1,440.00", "Total: 1,500.00", "the total should be 1440.00, not 1500.00"),
    ],
)
async def test_a_wrong_sum_is_flagged(right: str, wrong: str, words: str) -> None:
    answer = await invoice_clerk.work({"text": INVOICE.replace(right, wrong)})
    assert words in answer.data["flags"]
    assert not answer.data["ok"]


@pytest.mark.parametrize("given", [{"text": "Dear all"}, {"text": INVOICE, "act": "burn"}])
async def test_what_the_clerk_cannot_do_it_refuses(given: dict[str, str]) -> None:
    with pytest.raises(Refused):
        await invoice_clerk.work(given)


async def test_a_text_is_counted_and_summed_up_in_its_own_sentences() -> None:
    text = "The mesh runs agents. Agents answer the mesh! Nobody else does. It rained."
    answer = await document_analyst.analyse({"text": text})
    assert (answer.data["words"], answer.data["sentences"]) == (13, 4)
    assert answer.data["keywords"][:2] == ["agents", "mesh"]
    assert answer.data["summary"][:2] == ["The mesh runs agents.", "Agents answer the mesh!"]
    assert answer.data["kind"] == "report"


async def test_an_empty_text_is_refused() -> None:
    with pytest.raises(Refused):
        await document_analyst.analyse({"text": " \n"})


def test_an_invoice_is_known_as_one() -> None:
    assert document_analyst.kind_of(INVOICE) == "invoice"
