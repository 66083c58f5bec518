"""Call functions at the same time, most of which wait for programs that they have started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

#: how many at a time
THREADS = 8
Result = TypeVar("Result")


@contextmanager
def started(functions: Iterable[Callable[[], Result]]) -> Iterator[list[Callable[[], Result]]]:
    """Call functions, each in the language of the caller, and give what waits for the result of each, in their order.

    What waits raises what the function has raised.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        yield [pool.submit(copy_context().run, function).result for function in functions]
