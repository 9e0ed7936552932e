"""How the story is shown: numbered acts, findings, and progress while something takes its time."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Telling:
    """Writes the story to standard output, and progress to standard error."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True)
        self._act = 0

    def act(self, title: str) -> None:
        """Begin the next act."""
        self._act += 1
        self._out.print(f"\n[bold]{self._act}. {title}[/bold]")

    def found(self, text: str) -> None:
        """Say what the system answered."""
        self._out.print(f"   {text}", markup=False)

    def lines(self, text: str) -> None:
        """Show what a command printed."""
        for line in text.rstrip().splitlines():
            self._out.print(f"   | {line}", markup=False)

    @contextmanager
    def progress(self, text: str) -> Iterator[Status]:
        """Show that something goes on until the block ends; `update` changes the words."""
        with self._err.status(f"   {text} …") as status:
            yield status
