"""Parameters of a test, some of which are like others and therefore long."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pytest
from _pytest.mark import ParameterSet


def cases(names: Iterable[str], alike: Collection[str]) -> Iterator[ParameterSet]:
    """Give the names as parameters, of which those in `alike` are long."""
    for name in names:
        yield pytest.param(name, id=name, marks=[pytest.mark.long] if name in alike else [])
