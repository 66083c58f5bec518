"""Let a process end with the one that has forked it."""

from __future__ import annotations

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with(parent: int, number: signal.Signals) -> None:
    """Let the kernel send this process a signal when `parent`, its parent, is killed; also if it was killed already."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # since the fork; of that the kernel sends nothing
        os.kill(os.getpid(), number)
