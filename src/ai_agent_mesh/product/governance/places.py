"""Finds the line and column of each mistake in a policy's text.

The Cedar binding says what is wrong, but not where. Two facts of the language make up for it. Its
parser is left to right and stops at the first token that fits no policy, so the shortest prefix
whose complaint is other than "unexpected end of input" ends with the culprit. And its type checker
goes on after a mistake, so a complaint that vanishes when one token is exchanged came from there.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cedarpy
from cedarpy import pst

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*)
    |(?P<uid>(?:[A-Za-z_]\w*\s*::\s*)+"(?:[^"\\]|\\.)*")
    |(?P<name>[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<number>\d+)
    |(?P<sign>==|!=|<=|>=|&&|\|\||::|[(){}\[\],;.@?<>=!+*:-])
    |(?P<bad>[\s\S])""",
    re.VERBOSE,
)
_END = "unexpected end of input"
_NAMED = re.compile(r"`([^`]+)`")
#: Characters that a search may have parsed and checked again.
_WORK = 200_000
#: Words of the grammar itself: another in their place would not be the same sentence.
_CLOSED = frozenset({"permit", "forbid", "when", "unless", "if", "then", "else", "has", "like"})
_CLOSED |= {"in", "is", "true", "false", "action"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake, with the line and column (both from 1) where it stands."""

    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def schema_text() -> str:
    """Return the published schema, in Cedar's schema language."""
    return (files(__package__) / "schema.cedarschema").read_text("utf-8")


@cache
def schema() -> cedarpy.Schema:
    """Return the published schema, parsed once."""
    return cedarpy.Schema.from_str(schema_text())


def findings(text: str) -> list[Finding]:
    """Return every mistake that keeps `text` from being one valid statement, in its order."""
    search = _Search(text)
    found = [Finding(*search.at(start), message) for start, message in search.faults()]
    return sorted(set(found), key=lambda each: (each.line, each.column, each.message))


def parsed(text: str) -> pst.Template:
    """Return the one static policy of a text that has no findings."""
    (template,) = cedarpy.PolicySet.from_str(text).to_pst().static_policies.values()
    return template


def _tokens(text: str) -> list[_Token]:
    found = (_Token(each.lastgroup or "", each[0], each.start()) for each in _TOKEN.finditer(text))
    return [token for token in found if token.kind != "skip"]


class _Search:
    """One text, its tokens, and how often it may still be tried with another token in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        # A trial takes time in proportion to the text; a search shall end within a blink.
        self.trials = max(40, _WORK // max(1, len(text)))

    def faults(self) -> Iterator[tuple[int, str]]:
        complaint = _parse_complaint(self.text)
        if complaint is not None:
            yield self._culprit(complaint), complaint
            return
        found = list(self._statements())
        yield from found or self._type_errors()

    def at(self, start: int) -> tuple[int, int]:
        before = self.text[:start]
        return before.count("\n") + 1, start - before.rfind("\n")

    def _culprit(self, complaint: str) -> int:
        """Return where the token stands that a parser's complaint is about."""
        if complaint == _END:
            return len(self.text.rstrip())
        bad = next((token for token in self.tokens if token.kind == "bad"), None)
        if bad is not None:
            return bad.start
        if not complaint.startswith("unexpected"):
            # It is about a word's meaning: the word that it names, or that heals it.
            named = _mentioned(self.tokens, complaint)
            for token in [*named, *self.tokens]:
                if any(_parse_complaint(other) is None for other in self._exchanged(token)):
                    return token.start
            if named:
                return named[0].start
        return self._first_unfit(complaint)

    def _first_unfit(self, complaint: str) -> int:
        """Return where the first token stands that no policy could go on with."""

        def unfit(count: int) -> bool:
            prefix = self.text[: self.tokens[count - 1].end] if count else ""
            return _parse_complaint(prefix) not in {None, _END}

        count = bisect_left(range(len(self.tokens) + 1), True, key=unfit)
        read = self.tokens[:count]
        # The parser recovers, and may read a little on before it complains of what it met.
        met = [token.start for token in read if f"`{token.text}`" in complaint]
        return (met or [token.start for token in read] or [0])[-1]

    def _statements(self) -> Iterator[tuple[int, str]]:
        """Find statements too many or too few, and placeholders."""
        try:
            nodes = cedarpy.PolicySet.from_str(self.text).to_pst()
        except ValueError as error:
            yield 0, str(error)
            return
        if nodes.templates:
            slot = next((token.start for token in self.tokens if token.text == "?"), 0)
            yield slot, "a policy has no placeholders such as ?principal"
        elif not nodes.static_policies:
            yield 0, "a policy is one permit or forbid statement"
        elif len(nodes.static_policies) > 1:
            end = next(token for token in self.tokens if token.text == ";")
            second = next(token for token in self.tokens if token.start > end.start)
            reason = "a policy is one statement; put the next one into a policy of its own"
            yield second.start, reason

    def _type_errors(self) -> Iterator[tuple[int, str]]:
        complaints = _complaints(self.text)
        for message in dict.fromkeys(complaints):
            for start in self._sources(message, complaints.count(message)):
                yield start, message

    def _sources(self, message: str, times: int) -> list[int]:
        """Return where a complaint comes from: the tokens it names, or the first that heals it."""
        named = _mentioned(self.tokens, message)
        healing = [token for token in named if self._cures(token, message, times)]
        if healing:
            # An attribute is named before the type that has not got it.
            return [token.start for token in healing if token.text == healing[0].text]
        others = (token for token in self.tokens if token not in named)
        first = next((token for token in others if self._cures(token, message, times)), None)
        return [(first or (named or self.tokens)[0]).start]

    def _cures(self, token: _Token, message: str, times: int) -> bool:
        return any(
            _parse_complaint(other) is None and _complaints(other).count(message) < times
            for other in self._exchanged(token)
        )

    def _exchanged(self, token: _Token) -> Iterator[str]:
        """Put other tokens in the place of one, such as could stand there."""
        if token.kind == "sign" or token.text in _CLOSED:
            return
        for other in _instead(self.text[: token.start].rstrip(), token):
            if self.trials <= 0:
                return
            self.trials -= 1
            yield self.text[: token.start] + other + self.text[token.end :]


def _complaints(text: str) -> list[str]:
    result = cedarpy.validate_policies(text, schema())
    return [
        error.error.removeprefix(f"for policy `{error.policy_id}`, ") for error in result.errors
    ]


def _parse_complaint(text: str) -> str | None:
    try:
        cedarpy.PolicySet.from_str(text)
    except ValueError as error:
        return str(error)
    return None


def _mentioned(tokens: list[_Token], message: str) -> list[_Token]:
    """Return the tokens that a message names, in the order in which it names them."""
    words = [word.strip('"') for word in _NAMED.findall(message)]
    words.append(message.rpartition(": ")[2].removeprefix("@"))
    return [
        token
        for word in dict.fromkeys(words)
        for token in tokens
        if word in {token.text, token.text.strip('"'), _path(token)}
    ]


def _path(token: _Token) -> str:
    """Return the type of an entity such as `Mesh::Agent::"x"`."""
    return token.text.partition('"')[0].rstrip().removesuffix("::") if token.kind == "uid" else ""


def _instead(before: str, token: _Token) -> tuple[str, ...]:
    if token.kind == "uid":
        return ('Mesh::Agent::"x"', 'Mesh::Actor::"x"', 'Mesh::Action::"invokeAgent"')
    if token.kind == "text":
        return ('"0.0.0.0"', "context.absent_here")
    if token.kind == "number":
        return ("0", "context.absent_here")
    if before.endswith((".", "@")) or re.search(r"\bhas$", before):
        return ("absent_here",)
    if "::" in token.text or re.search(r"\bis$", before):
        return ("Mesh::Agent", "Mesh::Actor", "Mesh::Workflow")
    return ("context.absent_here", "context")
