"""A playbook from the default and a user's file, whole or not at all."""

from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from ai_agent_mesh.kernel.errors import Invalid
from ai_agent_mesh.playbook.reading import LARGEST_BYTES, read
from ai_agent_mesh.playbook.schema import Playbook
from ai_agent_mesh.playbook.shapes import record_of
from ai_agent_mesh.playbook.shaping import Shaper
from ai_agent_mesh.playbook.tree import Mistake, Node, Place, merged

_DEFAULT = "default.yaml"


class PlaybookInvalid(Invalid):
    """The playbook cannot be used; mistakes: {count}."""


def load(path: Path | str | None = None) -> Playbook:
    """Return the default playbook with what the file at `path` names in its stead.

    Raises:
        PlaybookInvalid: with every mistake, its place (`file:line:column key`) and what was
            expected.
    """
    if path is None:
        return default()
    return parse(_bytes_of(Path(path)), str(path))


@cache
def default() -> Playbook:
    """Return the playbook that the product ships with."""
    return parse(b"", "")


def parse(data: bytes, file: str) -> Playbook:
    """Return the default playbook with what some YAML names in its stead; raises as `load`."""
    over, mistakes = read(data, file)
    if over is None:
        raise _invalid(mistakes)
    shaper = Shaper(mistakes)
    made = shaper.whole(merged(_default_tree(), over), record_of(Playbook))
    if shaper.mistakes or not isinstance(made, Playbook):
        raise _invalid(shaper.mistakes)
    return made


@lru_cache(maxsize=32)
def recalled(text: str) -> Playbook:
    """Return the playbook that a canonical text of any time holds; it keeps the text's own digest.

    Keys that came later are the default's. That is slow, so the last ones are remembered.

    Raises:
        PlaybookInvalid: this version cannot read it, such as for a key that is gone.
    """
    made = parse(text.encode(), "playbook")
    # In place of the digest of today's keys: evidence names the text that was in force.
    vars(made)["digest"] = sha256(text.encode()).hexdigest()
    return made


def _invalid(mistakes: list[Mistake]) -> PlaybookInvalid:
    once = tuple(mistake.fault() for mistake in sorted(set(mistakes)))
    return PlaybookInvalid(count=len(once), faults=once)


@cache
def _default_tree() -> Node:
    data = files("ai_agent_mesh.playbook").joinpath(_DEFAULT).read_bytes()
    tree, mistakes = read(data, _DEFAULT)
    if tree is None or mistakes:
        raise _invalid(mistakes)
    return tree


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise _invalid([Place(str(path), 1, 1).mistake(f"cannot be read: {reason}")]) from error
