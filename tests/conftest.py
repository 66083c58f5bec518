"""What tests of all parts are given: the suite they run for, our packages, and machines that go when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers, roots
from dcor_dev.machine import Machine

#: Boots a machine over a stack of layers: boot("name", stack, **options of Machine).
Boot = Callable[..., Machine]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of machines run on another Debian: scripts/test system --suite trixie."""
    parser.addoption("--suite", default=roots.SUITES[0], choices=roots.SUITES, help="the Debian that machines have")


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> str:
    """Return the name of the Debian that this run is for."""
    return str(request.config.getoption("--suite"))


@pytest.fixture(scope="session")
def debs(suite: str) -> list[Path]:
    """Return all our packages, built if there are none of what the checkout holds."""
    return layers.build_packages(suite)


@pytest.fixture
def boot() -> Iterator[Boot]:
    """Return a function that boots machines, which are removed when the test ends."""
    with ExitStack() as machines:

        def started(name: str, stack: tuple[Path, ...], **options: Any) -> Machine:
            return machines.enter_context(Machine(name, stack, **options))

        yield started
