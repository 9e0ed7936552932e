"""Files as they come: plain or gzip, a pipe, and what their first bytes say of their format."""

import csv
import gzip
import io
import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec

from ai_agent_mesh.operations.replay.facts import FileEmpty, FileUnusable
from ai_agent_mesh.operations.replay.model import Format

STDIN = "-"
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_BOM = b"\xef\xbb\xbf"
#: An object, or an array of them: that is no NDJSON, and is said to be none.
_JSON = re.compile(rb"\s*(\{|\[\s*(\{|$))")
#: A head is one line; what is longer is not text.
_LONGEST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A readable file with its name as the user gave it."""

    name: str
    path: Path
    format: Format
    packed: bool
    #: The names of a CSV's columns, in their order.
    columns: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """Return the path so that DuckDB takes no sign in it for a wildcard."""
        return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(self.path))

    @property
    def compression(self) -> str:
        """Return what DuckDB calls the way it is packed."""
        return "gzip" if self.packed else "uncompressed"

    @contextmanager
    def text(self) -> Iterator[IO[str]]:
        """Open it as text, unpacked, whatever its line ends."""
        with _binary(self.path, packed=self.packed) as raw:
            yield io.TextIOWrapper(raw, "utf-8-sig", errors="replace", newline="")


def opened(name: str, folder: Path, given: Format | None) -> File:
    """Return a file by its name, `-` for standard input; a pipe is first laid down in `folder`.

    Raises:
        FileEmpty: there is nothing in it.
        FileUnusable: it is not there, or not what it should be.
    """
    path = _laid_down(name, folder)
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
        packed = start.startswith(_GZIP)
        with _binary(path, packed=packed) as raw:
            head = raw.readline(_LONGEST_LINE).removeprefix(_BOM)
    except (OSError, EOFError) as error:
        raise FileUnusable(file=name, reason=_reason(error)) from error
    if not head:
        raise FileEmpty(file=name)
    chosen = given or _recognised(head)
    if chosen is Format.PARQUET and packed:
        raise FileUnusable(file=name, reason="is Parquet inside gzip; unpack it first")
    file = File(name, path, chosen, packed)
    return File(name, path, chosen, packed, _columns(file, head))


def _laid_down(name: str, folder: Path) -> Path:
    path = Path("/dev/stdin") if name == STDIN else Path(name)
    if path.is_file() and name != STDIN:
        return path.absolute()
    if path.is_dir():
        raise FileUnusable(file=name, reason="is a folder")
    copy = folder / f"piped-{len(list(folder.iterdir()))}"
    try:
        with sys.stdin.buffer if name == STDIN else path.open("rb") as pipe, copy.open("wb") as out:
            shutil.copyfileobj(pipe, out)
    except OSError as error:
        raise FileUnusable(file=name, reason=_reason(error)) from error
    return copy


def _binary(path: Path, *, packed: bool) -> IO[bytes]:
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value] # it reads the same


def _recognised(head: bytes) -> Format:
    if head.startswith(_PARQUET):
        return Format.PARQUET
    if _JSON.match(head):
        return Format.LEDGER if _object(head).get("type") == "ledger" else Format.NDJSON
    return Format.CSV


def _columns(file: File, head: bytes) -> tuple[str, ...]:
    if file.format is not Format.CSV:
        return ()
    if b"\0" in head or len(head) >= _LONGEST_LINE or not _is_utf8(head):
        raise FileUnusable(file=file.name, reason="is not CSV, nor anything else known here")
    with file.text() as text:
        names = tuple(name.strip() for name in next(csv.reader(text), []))
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise FileUnusable(file=file.name, reason=f"line 1: column {min(twice)} stands there twice")
    return names


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError:
        return False
    return True


def _object(head: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(head, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def line_of(file: File, row: int) -> int:
    """Return the line that the n-th row (from 1) of a text file starts on, counted from 1."""
    with file.text() as text:
        if file.format is Format.CSV:
            return _line_of_csv(text, row)
        filled = (number for number, line in enumerate(text, 1) if line.strip())
        return next(islice(filled, row - 1, None), row)


def _line_of_csv(text: IO[str], row: int) -> int:
    reader, done, start = csv.reader(text), -1, 1
    for cells in reader:
        done += bool(cells)
        if done == row:
            return start
        start = reader.line_num + 1
    return start


def malformed_line(file: File) -> tuple[int, str] | None:
    """Return the first line of a JSON file that is no object, and what is wrong with it."""
    with _binary(file.path, packed=file.packed) as raw:
        for number, whole in enumerate(raw, 1):
            line = whole.removeprefix(_BOM) if number == 1 else whole
            try:
                if line.strip():
                    msgspec.json.decode(line, type=dict[str, object])
                    json.loads(line, object_pairs_hook=_once)
            except (msgspec.DecodeError, UnicodeDecodeError, _KeyTwice) as error:
                return number, str(error)
    return None


class _KeyTwice(Exception):  # noqa: N818 - a fact, told to the user as it is
    pass


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object whose keys are all different; which one counts would be a guess."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _KeyTwice(f"its key {key} stands there twice")
        found[key] = value
    return found


def has_key(file: File, row: int, key: str) -> bool:
    """Tell whether the n-th object (from 1) of a JSON file has a key."""
    with file.text() as text:
        filled = (line for line in text if line.strip())
        return key in _object(next(islice(filled, row - 1, None), "").encode())


def _reason(error: OSError | EOFError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not there"
    known = error.strerror if isinstance(error, OSError) else None
    return f"cannot be read: {known or error}"
