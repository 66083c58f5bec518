"""A next release that fails, in whichever way, changes nothing: what ran before serves, nothing is lost, it is said.

All tests share a machine, and each begins with a release that reads a column of a table of its own. All are long:
test_database_release.py fails and cuts off migrations, and tests/unit/ckan/test_migration.py has each kind of fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import watch
from contents import Contents, contents
from dcor_dev import layers
from dcor_dev.machine import Machine
from full_disk import full_disk
from migrations import (
    DROP_COLUMN,
    FAILS,
    HALF,
    MAKE_TABLE,
    PACKAGE,
    READS,
    STATE,
    UPGRADES,
    VERSIONS,
    active,
    has_come,
    head,
    next_release,
)
from postgresql_cluster import LET_START, STOP_FOR_GOOD
from power_cut import Moment, await_end, begin
from stop_at_step import at, go_on, install_hook
from survival import assert_survived, assert_told
from users import publish_dataset
from website import assert_healthy, wait_until_idle

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

CODE, WHEELS = "/usr/share/dcor-server", "/usr/share/dcor-wheels"
#: What a release has to answer within, in place of two minutes.
HURRY = f"sed -i 's/^TIMEOUT_SECONDS = 120.0/TIMEOUT_SECONDS = 40.0/' {PACKAGE}/ckan/switch.py"
KEEP = f"mkdir /root/good; cp --archive {CODE} {WHEELS} /root/good/"
#: Returns to the release with which each test begins, and to its packages.
RESTORE = f"""
rsync --archive --delete /root/good/dcor-server/ {CODE}/
rsync --archive --delete /root/good/dcor-wheels/ {WHEELS}/
find {VERSIONS} -name '9*_of_a_test.py' ! -name '9900a_*' -delete
rm -f {STATE}/watch.json
"""
#: Stops it before the change of its disk, and starts it afterwards.
POSTGRES = ("systemctl stop 'postgresql@*-main.service'", LET_START)


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server that has measurements, and whose release reads a column."""
    with Machine("failing", installed, read_only=package_mounts) as booted:
        wait_until_idle(booted)
        watch.switch_off(booted)
        booted.shell(HURRY)
        publish_dataset(booted)
        install_hook(booted)
        next_release(booted, "900a", head(booted), MAKE_TABLE, READS)
        booted.run("dcor-server", "converge", timeout=600)
        booted.shell(KEEP)
        yield booted


@pytest.fixture(scope="module")
def good(machine: Machine) -> str:
    """Return the release with which each test begins."""
    return active(machine)


@pytest.fixture(scope="module")
def before(machine: Machine) -> Contents:
    """Return what the server holds, which no test changes."""
    return contents(machine)


@pytest.fixture
def server(machine: Machine, good: str) -> Iterator[Machine]:
    """Return the healthy server; what a test leaves is undone, with a database that it has migrated."""
    yield machine
    go_on(machine)
    if head(machine) != "900a":
        machine.run("dcor-server", "release", "rollback", "--with-database", timeout=600)
    machine.shell(RESTORE)
    machine.run("dcor-server", "converge", "--retry-release", timeout=900)
    machine.run("systemctl", "reset-failed")
    assert active(machine) == good
    assert_healthy(machine)


@dataclass(frozen=True)
class Failing:
    """A release that fails: what makes it the next one, and what is said of it."""

    make: Callable[[Machine], object]
    said: str


def with_web(text: str) -> Callable[[Machine], object]:
    """Return what makes a next release, whose module that loads the web server ends with this text."""

    def make(machine: Machine) -> None:
        machine.write("/root/end.py", f"\n{text}\n")
        machine.shell(f"cat /root/end.py >>{PACKAGE}/runtime/wsgi.py")

    return make


def with_migration(revision: str, upgrade: str, web: str = "") -> Callable[[Machine], object]:
    """Return what makes a next release that migrates the tables."""
    return lambda machine: next_release(machine, revision, "900a", upgrade, web)


def with_corrupt_wheel(machine: Machine) -> None:
    """Make a next release, one of whose wheels is damaged."""
    with_web("ANOTHER = 'with a damaged wheel'")(machine)
    machine.shell(f"for wheel in {WHEELS}/dcor_shared-*.whl; do echo damaged >>$wheel; done")


FAILING = {
    "cannot be imported": Failing(with_web("import nothing_of_this_name"), "does not answer with this configuration"),
    "answers 500": Failing(with_web(FAILS.format(seconds=0)), "with status 500"),
    "migration fails half-way": Failing(with_migration("911a", HALF), "A copy of the database cannot be migrated"),
    "migrated and answers 500": Failing(
        with_migration("912a", DROP_COLUMN, FAILS.format(seconds=0)), "with status 500"
    ),
    "corrupt wheel": Failing(with_corrupt_wheel, "DO NOT MATCH THE HASHES"),
}


def converge_and_fail(server: Machine, said: str) -> None:
    ended = server.run("dcor-server", "converge", check=False, timeout=900)
    assert (ended.returncode, said in ended.stdout) == (1, True), ended.stdout


@pytest.mark.parametrize("name", FAILING)
def test_a_release_that_fails_changes_nothing(server: Machine, before: Contents, good: str, name: str) -> None:
    it = FAILING[name]
    it.make(server)
    converge_and_fail(server, it.said)
    assert active(server) == good
    assert_survived(server, before, it.said)


@dataclass(frozen=True)
class Disk:
    """A directory whose disk gets full when so many more files are in it, what is said of that, and its program."""

    place: str
    files: int
    said: str = "No space left on device"
    #: the commands that stop it, and start it again
    program: tuple[str, str] = (":", ":")


FULL = {
    "backup": Disk(UPGRADES, 2, f"The backup in {UPGRADES} failed"),
    "copy": Disk("/var/lib/postgresql/*/main/base", 60, program=POSTGRES),
    "release": Disk(f"{STATE}/releases", 2000),
}


@pytest.mark.parametrize("name", FULL)
def test_a_disk_that_is_full_in_the_middle_changes_nothing(
    server: Machine, before: Contents, good: str, name: str
) -> None:
    disk = FULL[name]
    # A release of its own: one that a former test has made is there.
    with_migration(f"92{list(FULL).index(name)}a", DROP_COLUMN)(server)
    with full_disk(server, disk.place, disk.files, *disk.program):
        converge_and_fail(server, disk.said)
        assert active(server) == good
        assert_survived(server, before, disk.said)


#: at a step, or at a moment of a migration (migrations.MOMENTS)
STOPPED_AT: dict[str, Callable[[Machine], Moment]] = {
    "step backup before the upgrade": lambda machine: at(machine, "backup before the upgrade"),
    "step active release": lambda machine: at(machine, "active release"),
    "copy of the database": lambda machine: has_come(machine, "migration"),
    "proof": lambda machine: has_come(machine, "proof of the copy"),
}


@pytest.mark.parametrize("name", STOPPED_AT)
def test_a_database_that_stops_in_the_middle_takes_nothing_with_it(
    server: Machine, before: Contents, name: str
) -> None:
    """The server says so, and serves when the database is there again and the hourly timer has run."""
    with_migration(f"93{list(STOPPED_AT).index(name)}a", DROP_COLUMN)(server)
    begin(server, STOPPED_AT[name](server), "dcor-server", "converge")
    server.shell(STOP_FOR_GOOD)
    go_on(server)
    await_end(server)
    assert_told(server, "postgresql")
    server.shell(f"{LET_START}; systemctl start dcor-retry.service", timeout=900)
    # Where it was stopped early enough, the same migration has succeeded now.
    assert_survived(server, before, changed=("dcor_trial", "alembic_version"))


def test_health_that_is_lost_after_two_minutes_brings_the_former_release_back(
    server: Machine, before: Contents, good: str
) -> None:
    with_web(FAILS.format(seconds=120))(server)
    server.run("dcor-server", "converge", timeout=600)
    bad = active(server)
    assert bad != good
    watch.watch(server)
    deadline = time.monotonic() + 500
    while active(server) == bad:
        assert time.monotonic() < deadline, "the watch did not go back"
        time.sleep(2)
    watch.await_end(server)
    watch.switch_off(server)
    assert active(server) == good
    assert_survived(server, before)
    assert f"in the place of {bad}" in server.run("dcor-server", "status", check=False).stdout
