"""Which errors were mailed within the last hour, and how often each came again since, for all processes of the server.

In a file with a lock, and not in Redis: there are many errors while Redis is down.
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(f"ckanext.{__name__}")
HOUR = 3600.0
Result = TypeVar("Result")
#: by error: the time of its last mail, in seconds since 1970, and how often it came again since
Known = dict[str, tuple[float, int]]


@dataclass(frozen=True)
class Repeated:
    """An error that is to be mailed: how often it came again since its last mail, and when that was."""

    error: str
    times: int
    since: float


class Repeats:
    """The errors in a file. Where it cannot be opened, each process counts for itself."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: Known = {}

    def add(self, error: str, now: float) -> Repeated | None:
        """Count an error. Return what has to be mailed of it at once, None within an hour after its last mail."""

        def change(known: Known) -> Repeated | None:
            since, times = known.get(error, (now, 0))
            is_repeat = error in known and not _is_over(since, now)
            known[error] = (since, times + 1) if is_repeat else (now, 0)
            return None if is_repeat else Repeated(error, times, since)

        return self._change(change)

    def due(self, now: float) -> list[Repeated]:
        """Return the errors that came again and whose hour is over; their next one begins. Forget the other ones."""

        def change(known: Known) -> list[Repeated]:
            over = [Repeated(error, times, since) for error, (since, times) in known.items() if _is_over(since, now)]
            for it in over:
                del known[it.error]
            repeated = [it for it in over if it.times]
            known.update({it.error: (now, 0) for it in repeated})
            return repeated

        return self._change(change)

    def _change(self, change: Callable[[Known], Result]) -> Result:
        """Return the result of a change, which no other process makes at the same time."""
        try:
            file = self._file.open("a+", encoding="utf-8")
        except OSError as error:
            log.warning("Repeated errors are counted in each process alone: %s", error)
            return change(self._known)
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            self._known = _parsed(file.read())
            result = change(self._known)
            file.truncate(0)
            json.dump(self._known, file)
        return result


def _is_over(since: float, now: float) -> bool:
    """Return whether the hour is over; it is, too, when the clock was set back."""
    return not 0 <= now - since < HOUR


def _parsed(text: str) -> Known:
    """Return what a file says; nothing where a process was killed while it wrote."""
    try:
        return {error: (float(since), int(times)) for error, (since, times) in json.loads(text or "{}").items()}
    except (ValueError, TypeError, AttributeError) as error:
        log.warning("The counts of repeated errors are lost: %s", error)
        return {}
