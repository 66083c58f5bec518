"""The clock of the machine: what it says, and whether that can be."""

from __future__ import annotations

import datetime
from pathlib import Path

#: the moment at which this program was packaged: what the clock says before it is wrong
PACKAGED = datetime.datetime.fromtimestamp(Path(__file__).stat().st_mtime, datetime.timezone.utc)
WRONG = "the clock of this machine is wrong"
HINT = "See: timedatectl"


def now() -> datetime.datetime:
    """Return the present moment, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc)


def is_possible() -> bool:
    """Return whether the clock shows a moment that can be; machines without a battery start in the past."""
    return now() >= PACKAGED
