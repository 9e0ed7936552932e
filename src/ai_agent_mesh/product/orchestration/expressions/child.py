"""The child process: reads requests as JSON lines, compiles and evaluates jq, answers in kind.

It is started with an empty environment, gives up the rights to open files or sockets and to grow,
and only then reads its first request. It imports nothing of this project.
"""

import ctypes
import json
import resource
import signal
import sys
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import jq

COMPILED = 2048

# What would reach outside of the expression, or differ between two replays, gives nothing.
PRELUDE = (
    "def env: {}; def input: null; def inputs: empty; def debug: .; def debug(f): .; "
    "def stderr: .; def input_line_number: 0; def input_filename: null; def get_search_list: []; "
    'def modulemeta: error("modulemeta is not available"); '
    'def halt: error("halt is not available"); '
    'def halt_error: error("halt_error is not available"); '
    'def halt_error(f): error("halt_error is not available"); '
)

_programs: OrderedDict[tuple[str, tuple[str, ...]], Any] = OrderedDict()


def compiled(text: str, names: tuple[str, ...]) -> Any:  # jq is untyped
    """Return the compiled program; its variables come with each evaluation's input."""
    key = (text, names)
    program = _programs.get(key)
    if program is None:
        variables = ", ".join(f"${name}" for name in ("__now", *names))
        # `import` and `include` may only open a program, so after the prelude they are errors.
        source = (
            f"{PRELUDE}{{}} as $ENV | .v as {{{variables}}} | .d | def now: $__now; (\n{text}\n)"
        )
        program = _programs[key] = jq.compile(source)
        if len(_programs) > COMPILED:
            _programs.popitem(last=False)
    else:
        _programs.move_to_end(key)
    return program


def check(programs: Sequence[tuple[str, Sequence[str]]]) -> list[str | None]:
    """Return for each program what its compiler says, or None."""
    return [_complaint(text, tuple(names)) for text, names in programs]


def _complaint(text: str, names: tuple[str, ...]) -> str | None:
    try:
        jq.compile(f"def __alone: {_bound(names)}\n{text}\n; .")
        compiled(text, names)
    except ValueError as error:
        first = str(error).splitlines()[0]
        return first.removeprefix("jq: error: ").partition(" at <top-level>")[0]
    return None


def _bound(names: tuple[str, ...]) -> str:
    return "".join(f". as ${name} | " for name in ("ENV", *names))


def evaluate(names: tuple[str, ...], programs: Sequence[str], given: str) -> list[dict[str, Any]]:
    """Return `{"ok": value}` for each program, up to the first `{"error": reason}`."""
    answers: list[dict[str, Any]] = []
    for text in programs:
        try:
            values = iter(compiled(text, names).input_text(given))
            value, more = next(values, None), next(values, _END)
        except ValueError as error:
            answers.append({"error": (str(error).splitlines() or ["failed"])[0][:500]})
            break
        if more is not _END:
            answers.append({"error": "gives several values: wrap it in [ ] to have them as a list"})
            break
        answers.append({"ok": value})
    return answers


_END = object()


def _confine(memory_bytes: int, cpu_s: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: die with the parent
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # The three standard streams are open; with no further number to give, neither a file nor a
    # socket can be opened any more.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def main() -> None:
    """Serve until the parent closes our input."""
    memory_bytes, cpu_s, turn_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    compiled(".", ())
    _confine(memory_bytes, cpu_s)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # Counts processor time alone, and ends this process: a slow machine is nobody's mistake.
        signal.setitimer(signal.ITIMER_PROF, turn_s)
        if "check" in request:
            answer: object = check(request["check"])
        else:
            given = json.dumps({"d": request["d"], "v": request["v"]})
            names = tuple(name for name in request["v"] if name != "__now")
            answer = evaluate(names, request["p"], given)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
