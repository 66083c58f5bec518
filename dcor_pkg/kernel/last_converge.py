"""How the last converge ended: a state file for `status` and the maintainer scripts, and a log for administrators."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dcor_pkg.machine import paths, state_file
from dcor_pkg.machine.host import Access, Host

STATE = f"{paths.STATE}/state.json"
LOG = f"{paths.LOGS}/converge.log"
DIRECTORY_ACCESS, LOG_ACCESS = Access(0o750, "root", "adm"), Access(0o640, "root", "adm")


@dataclass(frozen=True)
class LastConverge:
    """The end of the last converge; its fields are the keys of the state file and of `--json`."""

    #: whether any converge on this machine has ever succeeded
    worked: bool = False
    #: why the last one failed; empty when it succeeded
    reason: str = ""
    #: what to do about it, or the output of the program that failed
    hint: str = ""
    #: when it ended, in seconds since 1970
    when: float = 0.0

    def __str__(self) -> str:
        """Return the failure as a message for an administrator; empty when there is none."""
        if not self.reason:
            return ""
        ended = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.when))
        advice = "Fix the cause, then run: dcor-server converge (the timer dcor-retry runs it again each hour)."
        lines = [f"! The last converge ({ended}) failed: {self.reason}", *self.hint.splitlines(), advice]
        return "\n    ".join(lines)


def read(host: Host) -> LastConverge:
    """Return how the last converge ended; the defaults when there was none since the installation.

    Where the file is damaged, there was one, and so an upgrade must not fail (maintainer.py).
    """
    found: dict[str, Any] = state_file.read(host, STATE, {})
    if found.keys() != vars(LastConverge()).keys():
        return LastConverge(worked=True, reason=f"{STATE} is damaged.") if host.exists(STATE) else LastConverge()
    return LastConverge(**found)


def record(host: Host, reason: str = "", hint: str = "") -> None:
    """Record that a converge ended now: it succeeded when there is no reason for a failure."""
    ended = LastConverge(read(host).worked or not reason, reason, hint, time.time())
    state_file.write(host, STATE, vars(ended))


def forget(host: Host) -> None:
    """Remove the record, so that the next installation counts as a first one: it may fail, and say so."""
    host.remove(STATE)


def log(host: Host, lines: Iterable[str]) -> None:
    """Append lines to the log, each with the time of day."""
    host.make_directory(paths.LOGS, DIRECTORY_ACCESS)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    host.append(LOG, "".join(f"{stamp} {line}\n" for line in lines), LOG_ACCESS)
