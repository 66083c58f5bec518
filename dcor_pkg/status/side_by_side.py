"""Do several things at the same time, for a limited time: one that hangs holds up no other one, nor the caller.

Its thread is left to itself. It is none of those that Python waits for at its end; what it runs in other processes has
to have a limit of its own (`Host.deadline`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from dcor_pkg.errors import DcorError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Ended(Generic[Result]):
    """How one thing ended: with a value, or with an error, and after how many seconds."""

    value: Result | None
    error: Exception | None
    seconds: float


def do(work: Mapping[str, Callable[[], Result]], seconds: float) -> dict[str, Ended[Result]]:
    """Return how each ended, in the order of `work`; what takes longer than `seconds` has ended with a DcorError."""
    begun, ended = time.monotonic(), dict[str, Ended[Result]]()

    def run(name: str) -> None:
        since = time.monotonic()
        try:
            value, error = work[name](), None
        except Exception as raised:  # noqa: BLE001 (whoever asks decides what it means)
            value, error = None, raised
        ended[name] = Ended(value, error, time.monotonic() - since)

    threads = [threading.Thread(target=run, args=(name,), name=name, daemon=True) for name in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, begun + seconds - time.monotonic()))
    late: Ended[Result] = Ended(None, DcorError(f"does not answer within {seconds:.0f} s"), seconds)
    return {name: ended.get(name, late) for name in work}
