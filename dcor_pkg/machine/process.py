"""Run programs. This is the only module that starts a process; everything else calls `Host.run`."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping
from typing import Any

from dcor_pkg.errors import CommandFailed, DcorError, command_line


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


def _run(argv: tuple[str, ...], user: str | None, timeout: float, **options: Any) -> subprocess.CompletedProcess[str]:
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            argv,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            # without root's terminal, on which another process of that user could type for root (terminal.py)
            start_new_session=user is not None,
            **options,
            **_identity(user),
        )
    except subprocess.TimeoutExpired:
        raise DcorError(
            f"`{command_line(argv)}` did not end within {timeout:.0f} s",
            hint="It was stopped. On a busy machine, try again later.",
        ) from None
    except OSError as error:
        raise DcorError(
            f"`{command_line(argv)}` cannot be started: {error.strerror}",
            hint=f"Is the package that brings {argv[0]} installed?",
        ) from None
    if done.returncode:
        raise CommandFailed(argv, done.returncode, done.stderr or done.stdout or "")
    return done


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
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": os.getgrouplist(user, entry.pw_gid)}
