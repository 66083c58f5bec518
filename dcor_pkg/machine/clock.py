"""The clock of the machine: what it says, and whether that can be."""

from __future__ import annotations

import ctypes
import datetime
from pathlib import Path

from dcor_pkg.machine.language import marked

#: the moment at which this program was packaged: what the clock says before it is wrong
PACKAGED = datetime.datetime.fromtimestamp(Path(__file__).stat().st_mtime, datetime.timezone.utc)
WRONG = "the clock of this machine is wrong"
HINT = marked("See: timedatectl")
#: what adjtimex(2) returns for a clock that nothing synchronizes; more than the size of its structure in bytes
UNSYNCHRONIZED, SIZE = 5, 512


def now() -> datetime.datetime:
    """Return the present moment, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc)


def is_possible() -> bool:
    """Return whether the clock shows a moment that can be; machines without a battery start in the past."""
    return now() >= PACKAGED


def is_synchronized() -> bool | None:
    """Return whether the kernel knows its clock to be synchronized; None where it may not be asked, as in a container.

    With nothing but zeros in its structure, adjtimex(2) changes nothing.
    """
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(SIZE))
    return None if state < 0 else state != UNSYNCHRONIZED
