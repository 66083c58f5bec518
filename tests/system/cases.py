"""Parameters of a test, some of which are like others and therefore long."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest
from _pytest.mark import ParameterSet


def cases(names: Iterable[str], alike: Collection[str]) -> list[ParameterSet]:
    """Return the names as parameters, of which those in `alike` are long."""
    return [pytest.param(name, id=name, marks=[pytest.mark.long] if name in alike else []) for name in names]
