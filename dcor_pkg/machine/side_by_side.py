"""Do several things at the same time: some wait for programs that they have started, one that hangs holds up no other.

No thread of these is one that Python waits for at its end, so whoever is told to wait no longer may end.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

from dcor_pkg.errors import DcorError

#: how many at a time, where all are waited for
THREADS = 8
Result = TypeVar("Result")


@dataclass(frozen=True)
class Ended(Generic[Result]):
    """How one thing ended: with a value, or with an error, and after how many seconds."""

    value: Result | None
    error: Exception | None
    seconds: float


def do(work: Mapping[str, Callable[[], Result]], seconds: float) -> dict[str, Ended[Result]]:
    """Return how each ended, in the order of `work`; what takes longer than `seconds` has ended with a DcorError.

    Its thread is left to itself; what it runs in other processes has to have a limit of its own (`Host.deadline`).
    """
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


@contextmanager
def started(functions: Iterable[Callable[[], Result]]) -> Iterator[list[Callable[[], Result]]]:
    """Call functions, each in the language of the caller, and give what waits for the result of each, in their order.

    What waits raises what the function has raised. All of them have ended afterwards, unless the block raises.
    """
    calls = [(Future[Result](), copy_context(), function) for function in functions]
    left = deque(calls)

    def work() -> None:
        while left:
            try:
                future, context, function = left.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                future.set_result(context.run(function))
            except BaseException as raised:  # noqa: BLE001 (raised again where the result is asked for)
                future.set_exception(raised)

    for _ in range(THREADS):
        threading.Thread(target=work, daemon=True).start()
    yield [future.result for future, _, _ in calls]
    wait([future for future, _, _ in calls])
