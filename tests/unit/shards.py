"""The moments at which something is cut off, shared among the runs of one test: each run takes every fourth one.

The first run is in each run of all tests; the others are long.
"""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet

SHARDS = 4


def shards() -> list[ParameterSet]:
    """Return the numbers of the runs, from 0 on, as parameters."""
    return [pytest.param(number, marks=[pytest.mark.long] if number else []) for number in range(SHARDS)]
