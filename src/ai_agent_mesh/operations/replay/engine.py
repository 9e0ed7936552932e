"""DuckDB with bounded memory: what does not fit goes to a folder that is removed afterwards."""

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from ai_agent_mesh.operations.replay.facts import FileUnusable
from ai_agent_mesh.operations.replay.files import File, malformed_line
from ai_agent_mesh.operations.replay.model import Format

#: Of DuckDB's own; the process around it takes about a hundred megabytes more.
MEMORY = "512MB"
#: Each thread reads with buffers of its own.
_MOST_THREADS = 4
_POLL_S = 0.2

#: Hears what share of a file is read, 0 to 1.
Progress = Callable[[float], None]
Row = tuple[Any, ...]  # Any: a row of DuckDB's, of the columns that the query names


class Engine:
    """Runs queries over files; `folder` is for what does not fit into memory."""

    def __init__(self, folder: Path, progress: Progress | None = None) -> None:
        self._progress = progress
        self._link = duckdb.connect(
            config={
                "memory_limit": MEMORY,
                "threads": min(os.cpu_count() or 1, _MOST_THREADS),
                "temp_directory": str(folder / "spilled"),
                # Nothing is fetched from anywhere: what is needed is linked in.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": False,
                # It guesses that a CSV has few rows, and would lay all of them down in memory to
                # look a handful of words up in them.
                "disabled_optimizers": "build_side_probe_side",
            }
        )
        # DuckDB's own bar would go to stdout, in front of an answer.
        self._link.execute("SET TimeZone = 'UTC'; SET enable_progress_bar_print = false")

    def close(self) -> None:
        """Forget everything."""
        self._link.close()

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """Run one statement and return its rows."""
        result = self._link.execute(sql, dict(parameters or {}))
        return result.fetchall() if result.description else []

    def read(self, file: File, sql: str, parameters: Mapping[str, object]) -> list[Row]:
        """Run a statement that reads a file.

        Raises:
            FileUnusable: the file is not of its format, with the line where that shows.
        """
        try:
            with self._watched():
                return self.run(sql, parameters)
        except duckdb.Error as error:
            raise FileUnusable(file=file.name, reason=_reason(file, str(error))) from error

    def describe(
        self, file: File, sql: str, parameters: Mapping[str, object]
    ) -> list[tuple[str, str]]:
        """Return the names and types of what a SELECT over a file gives."""
        rows = self.read(file, f"DESCRIBE {sql}", parameters)
        return [(name, kind) for name, kind, *_ in rows]

    def in_order(self) -> None:
        """Keep the order of a file's rows from now on, so that they can be numbered."""
        self.run("SET preserve_insertion_order = true")

    @contextmanager
    def _watched(self) -> Iterator[None]:
        if self._progress is None:
            yield
            return
        done = threading.Event()
        watcher = threading.Thread(target=self._tell, args=(self._progress, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _tell(self, progress: Progress, done: threading.Event) -> None:
        while not done.wait(_POLL_S):
            progress(max(0.0, self._link.query_progress() / 100))


_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_WHAT = re.compile(
    r"^(Expected Number of Columns.*|Value with unterminated.*|.*unicode.*)$", re.MULTILINE
)


def _reason(file: File, said: str) -> str:
    """Return what DuckDB found wrong in a few words, with the line where it is known."""
    if file.format in {Format.NDJSON, Format.LEDGER} and (found := malformed_line(file)):
        return f"line {found[0]}: is not a JSON object: {found[1]}"
    if line := _CSV_LINE.search(said):
        what = _CSV_WHAT.search(said)
        return (
            f"line {line[1]}: is not CSV: {what[1].strip().rstrip('.') if what else _first(said)}"
        )
    told = _first(said).replace(str(file.path), file.name)
    return f"is not usable as {file.format.value}: {told}"


def _first(said: str) -> str:
    first = next((line for line in said.splitlines() if line.strip()), said)
    return (first.partition("Error: ")[2] or first).rstrip(".")
