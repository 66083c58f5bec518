"""What tests of all parts are given: the suite they run for, our packages, and machines that go when the test ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers, rooms, roots
from dcor_dev.machine import Machine

HERE = Path(__file__).parent

#: Parts of the tests that boot machines.
MACHINES = ("engines", "system")

#: What a part makes once for many tests of several files, and takes long.
SHARED = {"server", "content"}

#: What begins first. The longest one is the other Debian's, which needs packages of its own.
FIRST = (
    "system/test_other_suites",
    "system/test_crash",
    "system/test_first_questions",
    "system/test_install",
    "system/test_lifecycle",
    "system/test_external",
)

#: Boots a machine over a stack of layers: boot("name", stack, **options of Machine).
Boot = Callable[..., Machine]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of machines run on another Debian: scripts/test system --suite trixie."""
    parser.addoption("--suite", default=roots.SUITES[0], choices=roots.SUITES, help="the Debian that machines have")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what boots machines, and keep on one worker the tests that share something, or else those of a file.

    Only tests that say that each has a machine of its own are shared out one by one.
    """
    part = _file(item).partition("/")[0]
    if part in MACHINES:
        item.add_marker("system")
    if not item.get_closest_marker("own_machine"):
        shares = SHARED.intersection(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group(part if shares else _file(item)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that in the end no worker has much to do while the others have nothing."""
    items.sort(key=lambda item: FIRST.index(_file(item)) if _file(item) in FIRST else len(FIRST))


def _file(item: pytest.Item) -> str:
    return str(item.path.relative_to(HERE).with_suffix(""))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Give a test that a worker ran the name by which pytest runs it again; there its group stands behind it."""
    if hasattr(report, "node"):
        report.nodeid = re.sub(r"@[^@\]]*$", "", report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Let no worker end before the machines that it removed are gone; its process would not get the time."""
    rooms.await_removals()


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> str:
    """Return the name of the Debian that this run is for."""
    return str(request.config.getoption("--suite"))


@pytest.fixture(scope="session")
def debs(suite: str) -> list[Path]:
    """Return all our packages, built if there are none of what the checkout holds."""
    return layers.built(suite)


@pytest.fixture
def boot() -> Iterator[Boot]:
    """Return a function that boots machines, which are removed when the test ends."""
    with ExitStack() as machines:

        def started(name: str, stack: tuple[Path, ...], **options: Any) -> Machine:
            return machines.enter_context(Machine(name, stack, **options))

        yield started
