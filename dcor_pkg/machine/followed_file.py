"""Report the lines of a file while a program writes it, so that the program never waits for whoever reads them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dcor_pkg.errors import printable

PAUSE_SECONDS = 0.2
Report = Callable[[str], None]


@contextlib.contextmanager
def followed(path: Path, report: Report | None) -> Iterator[None]:
    """Report each line that is written into a file during a block, without what controls a terminal."""
    if report is None:
        yield
        return
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(_follow, path, ended, report)
        try:
            yield
        finally:
            ended.set()
        following.result()


def _follow(path: Path, ended: threading.Event, report: Report) -> None:
    rest, is_last = b"", False
    with path.open("rb", buffering=0) as file:
        while not is_last:
            is_last = ended.wait(PAUSE_SECONDS)  # what was written before is read once more
            *lines, rest = (rest + file.readall()).split(b"\n")
            for line in [*lines, *([rest] if is_last and rest else [])]:
                report(printable(line.decode(errors="replace")))
