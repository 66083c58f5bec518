"""Run programs. This is the only module that starts a process; everything else calls `Host.run`."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from dcor_pkg.errors import CommandFailed, DcorError, command_line

#: how often the output of a program that runs beside its caller is looked at
PAUSE_SECONDS = 0.05
BUSY = "It was stopped. On a busy machine, try again later."


def run(
    argv: tuple[str, ...],
    *,
    text: str,
    user: str | None,
    environment: Mapping[str, str],
    directory: str,
    timeout: float,
) -> str:
    """Run a program to its end and return its standard output.

    Raises CommandFailed for an exit code other than 0, and DcorError where the program cannot be started or takes
    longer than `timeout` seconds; each names the whole command.
    """
    options = {"input": text, "stdout": subprocess.PIPE, "env": environment, "cwd": directory}
    return _run(argv, user, timeout, **options).stdout


def run_into(
    argv: tuple[str, ...], output: int, *, user: str | None, environment: Mapping[str, str], timeout: float
) -> None:
    """Run a program to its end, with an open file as its standard output. Raises as `run` does."""
    _run(argv, user, timeout, stdin=subprocess.DEVNULL, stdout=output, env=environment, cwd="/")


@dataclass(frozen=True)
class Program:
    """A program that runs beside its caller, and waits for its standard input."""

    argv: tuple[str, ...]
    process: subprocess.Popen[str]
    output: IO[bytes]
    errors: IO[bytes]

    def await_output(self, words: str, timeout: float) -> None:
        """Wait until it has written these words. Raises CommandFailed where it has ended, and DcorError."""
        deadline = time.monotonic() + timeout
        while words not in _text(self.output):
            if self.process.poll() is not None:
                raise self._failure()
            if time.monotonic() > deadline:
                raise DcorError(f"`{command_line(self.argv)}` was not ready within {timeout:.0f} s", hint=BUSY)
            time.sleep(PAUSE_SECONDS)

    def finish(self, text: str, timeout: float) -> str:
        """Give it its input, and return its standard output when it has ended. Raises as `run` does."""
        with _explained(self.argv, timeout):
            self.process.communicate(text, timeout)
        if self.process.returncode:
            raise self._failure()
        return _text(self.output)

    def _failure(self) -> CommandFailed:
        return CommandFailed(self.argv, self.process.returncode, _text(self.errors) or _text(self.output))


@contextlib.contextmanager
def started(argv: tuple[str, ...], *, user: str | None, environment: Mapping[str, str]) -> Iterator[Program]:
    """Give a program that runs meanwhile; it is killed if it has not ended afterwards. Raises DcorError."""
    with contextlib.ExitStack() as stack:
        # Files: a pipe that nobody reads yet would stop a program that writes much.
        output, errors = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": output, "stderr": errors}
        with _explained(argv):
            process = subprocess.Popen(argv, text=True, env=environment, cwd="/", **streams, **_identity(user))
        stack.enter_context(process)
        stack.callback(process.kill)
        yield Program(argv, process, output, errors)


def _text(file: IO[bytes]) -> str:
    """Return what a program has written so far, without a change of the place at which it writes."""
    number = file.fileno()
    return os.pread(number, os.fstat(number).st_size, 0).decode("utf-8", "replace")


def _run(argv: tuple[str, ...], user: str | None, timeout: float, **options: Any) -> subprocess.CompletedProcess[str]:
    with _explained(argv, timeout):
        done: subprocess.CompletedProcess[str] = subprocess.run(
            argv,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            **options,
            **_identity(user),
        )
    if done.returncode:
        raise CommandFailed(argv, done.returncode, done.stderr or done.stdout or "")
    return done


@contextlib.contextmanager
def _explained(argv: tuple[str, ...], timeout: float = 0.0) -> Iterator[None]:
    """Raise what the system says of a program as DcorError."""
    try:
        yield
    except subprocess.TimeoutExpired:
        raise DcorError(
            f"`{command_line(argv)}` did not end within {timeout:.0f} s",
            hint=BUSY,
        ) from None
    except OSError as error:
        raise DcorError(
            f"`{command_line(argv)}` cannot be started: {error.strerror}",
            hint=f"Is the package that brings {argv[0]} installed?",
        ) from None


def _identity(user: str | None) -> dict[str, Any]:
    """Return subprocess's arguments for running as a user, with all groups of that user. Raises DcorError."""
    if user is None:
        return {}
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise DcorError(
            f"There is no user {user}.", hint="The package that makes this user is not installed."
        ) from None
    groups = os.getgrouplist(user, entry.pw_gid)
    # A session of its own is without root's terminal, on which another process of that user could type for root
    # (terminal.py).
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups, "start_new_session": True}
