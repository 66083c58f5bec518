"""Fixtures of all parts of the tests: the Debian suite, our packages, and machines; and the order of parallel tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers, machine_directories, roots
from dcor_dev.machine import Machine

HERE = Path(__file__).parent

#: Parts of the tests that boot machines.
MACHINES = ("engines", "system")

#: The files that take longest, in the order in which they begin. The second of them needs no installed server, whose
#: layer is made by the first meanwhile.
FIRST = (
    "system/test_each_step",
    "system/test_acme",
    "system/test_first_questions",
    "system/test_test_instance",
    "system/test_certificate",
    "system/test_tls_scan",
    "system/test_other_suites",
    "system/test_lifecycle",
    "system/test_reconfigure",
    "system/test_install",
    "system/test_external",
    "system/test_odd_machines",
    "system/test_crash",
    "system/test_questions",
    "system/test_additions",
    "system/test_withdrawal",
    "system/test_damage",
    "system/test_database_release",
    "system/test_found_issues",
    "system/test_names_of_others",
    "unit/test_postrm",
)

#: Boots a machine over a stack of layers: boot("name", stack, **options of Machine).
Boot = Callable[..., Machine]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of machines run on another Debian (`--suite trixie`), and with those marked as long (`--all`)."""
    parser.addoption("--suite", default=roots.SUITES[0], choices=roots.SUITES, help="the Debian that machines have")
    parser.addoption("--all", action="store_true", help="run also the tests that are marked as long")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that boot machines."""
    if _file(item).partition("/")[0] in MACHINES:
        item.add_marker("system")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long tests out, unless all are asked for; run the longest files first, so that the workers end together."""
    if not config.getoption("--all"):
        config.hook.pytest_deselected(items=[item for item in items if _is_long(item)])
        items[:] = [item for item in items if not _is_long(item)]
    items.sort(key=lambda item: FIRST.index(_file(item)) if _file(item) in FIRST else len(FIRST))


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("long") is not None


def _file(item: pytest.Item) -> str:
    return str(item.path.relative_to(HERE).with_suffix(""))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Wait for the removal of machines; a worker's process would otherwise be killed before it is complete."""
    machine_directories.wait_for_removals()


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> str:
    """Return the name of the Debian that this run is for."""
    return str(request.config.getoption("--suite"))


@pytest.fixture(scope="session")
def debs(suite: str) -> list[Path]:
    """Return all our packages, built from this checkout."""
    return layers.build_packages(suite)


@pytest.fixture
def boot() -> Iterator[Boot]:
    """Return a function that boots machines, which are removed when the test ends."""
    with ExitStack() as machines:

        def started(name: str, stack: tuple[Path, ...], **options: Any) -> Machine:
            return machines.enter_context(Machine(name, stack, **options))

        yield started
