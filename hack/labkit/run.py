"""Running other programs: the one place that starts a process.

Output goes to the step's log file, so a person sees progress and not noise; what
failed is told with the log's last lines. It decides nothing.
"""

import os
import selectors
import shlex
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from labkit.errors import LabError, StepFailed

#: A killed lab must not leave builders behind that race with the next one.
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")

_SHOWN_WORDS = 6


class _Log(threading.local):
    path: Path | None = None


#: Each thread's own: a compile beside a build writes its own log.
_log = _Log()


def log_to(path: Path) -> None:
    """From here on this thread's commands write to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _log.path = path


def tail(path: Path, lines: int = 15) -> str:
    """The end of a log, for the person who has to mend it."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def do(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    ends_with_us: bool = True,
) -> None:
    """Run to the end, output to the log; StepFailed names the command and the log."""
    words = [str(word) for word in command]
    with _open_log() as log:
        log.write(f"$ {shlex.join(words)}\n".encode())
        log.flush()
        pipes = {"stdout": log, "stderr": subprocess.STDOUT}
        ended = _run(words, env=env, cwd=cwd, stdin=stdin, timeout=timeout, ends_with_us=ends_with_us, **pipes)
    if ended.returncode != 0:
        raise StepFailed(_sentence(words, ended.returncode), _log.path, tail(_log.path) if _log.path else "")


def output(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = 60,
    check: bool = True,
) -> str:
    """What it prints, stripped. With `check=False` a failure gives what it printed so far."""
    words = [str(word) for word in command]
    ended = _run(words, env=env, stdin=stdin, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and ended.returncode != 0:
        raise StepFailed(_sentence(words, ended.returncode), None, ended.stderr.decode(errors="replace").strip())
    return ended.stdout.decode(errors="replace").strip()


def works(*command: str | Path, env: Mapping[str, str] | None = None, timeout: float = 60) -> bool:
    """Whether it ends well within `timeout` seconds; not being there at all is no."""
    try:
        return _run([str(word) for word in command], env=env, timeout=timeout).returncode == 0
    except LabError:
        return False


def speaks_within(seconds: float, *command: str, env: Mapping[str, str] | None = None) -> bool | None:
    """Whether it prints anything: None when it neither did nor ended within `seconds`. It is then ended."""
    process = subprocess.Popen(
        [*_DIES_WITH_US, *command],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process, selectors.DefaultSelector() as selector:
        pipe = cast("IO[bytes]", process.stdout)
        selector.register(pipe, selectors.EVENT_READ)
        spoke = bool(pipe.read(1)) if selector.select(seconds) else None
        process.kill()
    return spoke


def _run(  # noqa: PLR0913 - subprocess's own, narrowed
    words: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    stdout: object = subprocess.DEVNULL,
    stderr: object = subprocess.DEVNULL,
    ends_with_us: bool = True,
) -> subprocess.CompletedProcess[bytes]:
    if shutil.which(words[0]) is None:
        raise StepFailed(f"{words[0]}: no such program; install it and put it in PATH.")
    try:
        ended: subprocess.CompletedProcess[bytes] = subprocess.run(
            [*(_DIES_WITH_US if ends_with_us else ()), *words],
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=None if stdin is None else stdin.encode(),
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=stdout,  # type: ignore[call-overload]
            stderr=stderr,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StepFailed(f"`{shlex.join(words[:4])} …` gave no answer within {timeout:.0f} s.") from None
    return ended


def _open_log() -> IO[bytes]:
    return _log.path.open("ab") if _log.path else open(os.devnull, "wb")  # noqa: PTH123 - os.devnull is no Path


def _sentence(words: Sequence[str], code: int) -> str:
    more = " …" if len(words) > _SHOWN_WORDS else ""
    return f"`{shlex.join(words[:_SHOWN_WORDS])}{more}` ended with {code}."
