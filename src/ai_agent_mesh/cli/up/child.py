"""One process of the mesh that is started again whenever it ends."""

import asyncio
import logging
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import NoReturn

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from ai_agent_mesh.plumbing.processes import die_with_parent, note_restart

log = logging.getLogger(__name__)

_GRACE_S = 15.0
#: One that ran this long was healthy: its next start begins without a wait.
_HEALTHY_S = 30.0
_BACKOFF = wait_exponential(multiplier=0.25, max=15)


class EndedEarly(Exception):  # noqa: N818 - never leaves this module; tenacity retries on it
    """A child ended soon after its start."""


class Child:
    """`python -m ai_agent_mesh WORDS…` with an environment, writing to a log file of its own."""

    def __init__(
        self,
        name: str,
        words: tuple[str, ...],
        environ: Mapping[str, str],
        logs: Path,
        restarts: Path | None = None,
    ) -> None:
        self.name = name
        self._restarts = restarts
        self.log = logs / f"{name}.log"
        self.deaths = 0
        self._words = words
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and running else None

    async def keep(self) -> NoReturn:
        """Run the process for ever; when cancelled, ask it to end, then make it."""
        retry = retry_if_exception_type(EndedEarly)
        while True:
            async for attempt in AsyncRetrying(wait=_BACKOFF, retry=retry, before_sleep=self._say):
                with attempt:
                    await self._run()

    async def _run(self) -> None:
        began = monotonic()
        try:
            self._process = await self._start()
        except OSError as error:  # no room for its log, no memory for a process: that may pass
            raise EndedEarly(f"{self.name} does not start ({error})") from None
        try:
            code = await self._process.wait()
        finally:
            await self._end()
        self.deaths += 1
        self._note()
        if monotonic() - began < _HEALTHY_S:
            raise EndedEarly(f"{self.name} ended with {_how(code)}")
        log.warning("%s ended with %s: starting it again", self.name, _how(code))

    def _note(self) -> None:
        """Count the restart for whoever watches; a full disk must not end what keeps us up."""
        if self._restarts:
            with suppress(OSError):
                note_restart(self._restarts, self.name, datetime.now(UTC))

    async def _start(self) -> asyncio.subprocess.Process:
        # Nothing in a process is state, so one whose supervisor is gone may be killed outright:
        # that alone surely frees the port for the next start. A session of its own keeps the
        # terminal's Ctrl-C for the supervisor.
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # whatever lies in the current folder is not ours to import
                "-m",
                "ai_agent_mesh",
                *self._words,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    async def _end(self) -> None:
        if self.pid is None or self._process is None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE_S)
        except TimeoutError:
            log.warning("%s did not end within %g s: killed", self.name, _GRACE_S)
            self._process.kill()
            await self._process.wait()

    def _say(self, state: RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        pause = state.next_action.sleep if state.next_action else 0
        log.warning("%s: starting it again in %.2g s (%s)", error, pause, self.log)

    def last_words(self) -> str:
        """Return the last line of its log, for a person who must know why it will not start."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else "it said nothing"


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
