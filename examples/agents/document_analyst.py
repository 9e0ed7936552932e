"""An A2A agent that reads a text: counts, readability, key words and the sentences that say most.

python -m examples.agents.document_analyst --port 0
"""

import hashlib
import re
from collections import Counter
from typing import Any

from a2a.types import AgentSkill
from examples.agents.serving import Agent, Answer, Refused, run

# The words that say nothing about what a text is about.
PLAIN = frozenset(
    """a about after all also an and any are as at be because been before but by can could did do
    does for from had has have he her his how i if in into is it its just may more most must no not
    of on one only or other our out over she should so some such than that the their them then there
    these they this those to under up was we were what when where which who will with would you your
    """.split()  # noqa: SIM905 - a hundred quoted words would be no easier to read
)


def words_of(text: str) -> list[str]:
    """Split into lower-case words."""
    return re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text.lower())


def sentences_of(text: str) -> list[str]:
    """Split at the ends of sentences and at blank lines."""
    parts = re.split(r"(?<=[.!?])\s+|\n\s*\n", text.strip())
    return [" ".join(part.split()) for part in parts if words_of(part)]


def syllables_in(word: str) -> int:
    """Count groups of vowels, less a silent final e.

    >>> [syllables_in(word) for word in ("cat", "table", "invoice", "readability")]
    [1, 2, 2, 5]
    """
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)


def reading_ease(words: list[str], sentences: list[str]) -> float:
    """Return Flesch's reading ease (1948): 100 is very easy, 30 is for graduates."""
    syllables = sum(map(syllables_in, words))
    score = 206.835 - 1.015 * len(words) / len(sentences) - 84.6 * syllables / len(words)
    return round(score, 1)


def keywords_of(words: list[str], count: int = 8) -> list[str]:
    """Return the words that come most often, of those that carry meaning."""
    weights = Counter(word for word in words if word not in PLAIN and len(word) > 2)
    return [word for word, _ in sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))][
        :count
    ]


def summary_of(sentences: list[str], words: list[str], count: int = 3) -> list[str]:
    """Return the sentences with the weightiest words, in their own order (Luhn, 1958)."""
    weights = Counter(word for word in words if word not in PLAIN)

    def weight(sentence: str) -> float:
        own = words_of(sentence)
        return sum(weights[word] for word in own) / (len(own) + 5)

    best = sorted(range(len(sentences)), key=lambda at: -weight(sentences[at]))[:count]
    return [sentences[at] for at in sorted(best)]


def kind_of(text: str) -> str:
    """Tell an invoice from other writing by what only invoices say.

    >>> kind_of("Invoice A-1. Total: 12.00 EUR"), kind_of("Dear all, the meeting is on Monday.")
    ('invoice', 'letter')
    """
    if re.search(r"\binvoice\b", text, re.IGNORECASE) and re.search(
        r"\btotal\b.*\d", text, re.IGNORECASE
    ):
        return "invoice"
    return "letter" if re.match(r"\s*(dear|hello|hi)\b", text, re.IGNORECASE) else "report"


async def analyse(given: dict[str, Any]) -> Answer:
    """Read `text` and say what it is; the act `file` also gives it a place in the archive."""
    text = str(given.get("text", ""))
    words, sentences = words_of(text), sentences_of(text)
    if not words:
        raise Refused("There is no text to analyse.")
    data: dict[str, Any] = {
        "kind": kind_of(text),
        "words": len(words),
        "sentences": len(sentences),
        "reading_ease": reading_ease(words, sentences),
        "keywords": keywords_of(words),
        "summary": summary_of(sentences, words),
    }
    if given.get("act") == "file":
        data["filed"] = "DOC-" + hashlib.sha256(text.encode()).hexdigest()[:8].upper()
    return Answer(data, " ".join(summary_of(sentences, words)))


AGENT = Agent(
    name="document-analyst",
    description="Reads a text and answers its kind, counts, readability, key words and summary.",
    skills=(
        AgentSkill(
            id="analyse",
            name="Analyse a document",
            description="Counts, readability, key words, a summary of its own sentences.",
            tags=["text", "statistics", "summary"],
            examples=['{"text": "Invoice A-1 …"}'],
        ),
        AgentSkill(
            id="file",
            name="File a document",
            description="Analyses and archives it: an outside effect, once per idempotency key.",
            tags=["text", "effect"],
        ),
    ),
    work=analyse,
    effects=frozenset({"file"}),
)

if __name__ == "__main__":
    run(AGENT)
