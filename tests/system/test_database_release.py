"""The database is released like the code: a migration that goes wrong, in whichever way and whenever, is undone.

All tests share a machine, and each begins with a release that reads a column which the next one drops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import watch
from availability import measure_availability
from cases import cases
from dcor_dev import layers
from dcor_dev.machine import Machine
from migrations import (
    DROP_COLUMN,
    FAILS,
    HALF,
    MAKE_TABLE,
    MOMENTS,
    READS,
    STATE,
    UPGRADES,
    active,
    has_come,
    head,
    next_release,
    sql,
)
from power_cut import power_cut
from website import serves, wait_for_page, wait_until_idle

pytestmark = pytest.mark.upgrades
#: the migration of a release that fails, what its web server does when it starts and later, and what is said of it
FAILING = {
    "half": (HALF, "", "", "A copy of the database cannot be migrated"),
    "answers 500": (DROP_COLUMN, "", FAILS.format(seconds=0), "with status 500"),
    "does not start": (DROP_COLUMN, "import of_no_such_name", "", "its web server ends while it starts"),
}


#: holds dpkg's lock from the next boot on, like apt that waits for an answer
APT = """[Service]
ExecStart=/usr/bin/python3 -c "import fcntl, signal; lock = open('/var/lib/dpkg/lock-frontend', 'a'); \
fcntl.lockf(lock, fcntl.LOCK_EX); signal.pause()"
[Install]
WantedBy=basic.target
"""


@pytest.fixture(scope="module")
def machine(installed: layers.Stack) -> Iterator[Machine]:
    """Return a running server that only these tests converge, with a column that its release reads."""
    with Machine("migrations", installed) as booted:
        wait_until_idle(booted)
        watch.switch_off(booted)
        next_release(booted, "900a", head(booted), MAKE_TABLE, READS)
        booted.run("dcor-server", "converge", timeout=600)
        yield booted


@pytest.fixture
def server(machine: Machine) -> Machine:
    """Return the server on the release that reads the column, whatever a test has left."""
    machine.shell(f"rm -f {STATE}/failed-migration.json {STATE}/watch.json")
    if head(machine) != "900a":
        machine.run("dcor-server", "release", "rollback", "--with-database", timeout=600)
    assert_former(machine)
    return machine


@pytest.fixture
def apt_after_boot(server: Machine) -> Iterator[None]:
    """Let apt work from the next boot until the end of the test."""
    server.write("/etc/systemd/system/apt-works.service", APT)
    server.run("systemctl", "enable", "--quiet", "apt-works.service")
    yield
    server.run("systemctl", "disable", "--quiet", "--now", "apt-works.service")


def assert_former(machine: Machine) -> None:
    """Assert that the release that reads the column serves, the column is there, and nothing of a copy."""
    assert head(machine) == "900a"
    assert sql(machine, "SELECT kept FROM dcor_trial") == "precious"
    assert serves(machine)
    assert sql(machine, "SELECT count(*) FROM pg_database WHERE datname = 'ckan_default_copy'") == "0"
    assert not machine.path(f"{STATE}/nginx/maintenance").exists()
    assert not machine.path(f"{STATE}/migration.json").exists()


def assert_migrated(machine: Machine) -> None:
    assert serves(machine)
    assert sql(machine, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'dcor_trial'") == "0"
    aside = sql(machine, "SELECT max(datname) FROM pg_database WHERE datname LIKE 'ckan_default_before_%'")
    assert sql(machine, f"SELECT datallowconn FROM pg_database WHERE datname = '{aside}'") == "f"


def write_a_group(machine: Machine, name: str) -> None:
    machine.shell(
        "ckan user add writer email=writer@example.org password=correct-horse-battery; ckan sysadmin add writer"
    )
    token = machine.shell("ckan user token add writer test -q").split()[-1]
    machine.shell(
        f"curl --silent --fail --insecure --header 'Authorization: {token}' --header 'Content-Type: application/json' "
        f"--data '{json.dumps({'name': name})}' https://dcor.example.org/api/3/action/group_create"
    )


def test_a_good_migration_is_a_pause_of_seconds_and_the_former_database_stays(server: Machine) -> None:
    next_release(server, "901a", "900a", DROP_COLUMN)
    availability = measure_availability(server, "dcor-server converge")
    print(f"{len(availability.failed)} of {availability.requests} requests were answered with 503")
    assert all("503" in failure for failure in map(str, availability.failed))
    assert_migrated(server)
    assert "0 changed" in server.shell("dcor-server converge")


@pytest.mark.parametrize("name", cases(FAILING, ("answers 500", "does not start")))
def test_what_fails_leaves_the_former_release_with_its_column(server: Machine, name: str) -> None:
    upgrade, at_start, web, words = FAILING[name]
    next_release(server, "902a", "900a", upgrade, web, at_start=at_start)
    pages = measure_availability(server, "code=0; dcor-server converge >/root/ended || code=$?; test $code = 1")
    ended = server.path("/root/ended").read_text()
    assert words in ended, ended
    # What is found while CKAN is loaded costs nobody anything.
    assert (pages.failed == ()) == (name == "does not start")
    assert_former(server)
    status = server.run("dcor-server", "status", check=False)
    assert (status.returncode, words in status.stdout) == (3, True)


@pytest.mark.parametrize("moment", cases(MOMENTS, MOMENTS.keys() - {"exchange"}))
@pytest.mark.usefixtures("apt_after_boot")
def test_a_power_cut_in_the_middle_is_healed_by_the_boot(server: Machine, moment: str) -> None:
    """503 ends although apt works; what is wanted is made when it has ended."""
    number = 910 + list(MOMENTS).index(moment)
    next_release(server, f"{number}a", "900a", DROP_COLUMN)
    power_cut(server, has_come(server, moment), "dcor-server", "converge")
    server.shell(f"while test -e {STATE}/migration.json; do sleep 0.2; done", timeout=300)
    wait_for_page(server)
    assert server.run("systemctl", "is-active", "apt-works.service").stdout == "active\n"
    assert "precious" in _kept(server), "a row is lost"
    server.run("systemctl", "stop", "apt-works.service")
    # The boot's timer starts the same unit.
    server.run("systemctl", "start", "dcor-converge.service", timeout=600)
    assert_migrated(server)


def _kept(machine: Machine) -> str:
    """Return the column, of whichever database has it. One that takes no connections cannot be asked: it has it."""
    names = sql(machine, "SELECT datname FROM pg_database WHERE datname LIKE 'ckan_default%' AND datallowconn")
    found = [machine.run("pg_dump", name, user="postgres").stdout for name in names.split()]
    aside = sql(machine, "SELECT count(*) FROM pg_database WHERE datname LIKE 'ckan_default_before_%'")
    return "\n".join(found) if aside == "0" else "precious"


@pytest.mark.long
def test_health_that_is_lost_after_a_minute_brings_the_column_back_and_the_dump_has_the_rest(server: Machine) -> None:
    next_release(server, "930a", "900a", DROP_COLUMN, FAILS.format(seconds=60))
    server.run("dcor-server", "converge", timeout=600)
    bad = active(server)
    write_a_group(server, "written-meanwhile")
    watch.watch(server)
    deadline = time.monotonic() + 400
    while active(server) == bad:
        assert time.monotonic() < deadline, "the watch did not go back"
        time.sleep(2)
    watch.await_end(server)
    watch.switch_off(server)
    assert_former(server)
    status = server.run("dcor-server", "status", check=False).stdout
    assert f"in the place of {bad}" in status
    dump = next(word.rstrip(".;") for word in status.split() if word.startswith(UPGRADES))
    assert "written-meanwhile" in server.shell(f"pg_restore --file=- {dump}/database.dump")
    assert "written-meanwhile" not in sql(server, 'SELECT name FROM "group"')
    assert "0 changed" in server.shell("dcor-server converge")
    assert active(server) != bad


def test_the_backup_can_be_restored_and_a_rollback_by_hand_says_what_will_be_lost(server: Machine) -> None:
    next_release(server, "940a", "900a", DROP_COLUMN)
    server.run("dcor-server", "converge", timeout=600)
    assert_backup_can_be_restored(server)
    refused = server.run("dcor-server", "release", "rollback", check=False)
    assert (refused.returncode, "--with-database" in refused.stderr) == (1, True)
    server.run("dcor-server", "release", "rollback", "--with-database", timeout=600)
    assert_former(server)
    listed = json.loads(server.shell("dcor-server release list --json"))
    assert [it["active"] for it in listed] == [True, False, False]
    kept = server.shell(f"ls {STATE}/configurations").split()
    assert kept == sorted(f"{it['release']}.{it['configuration']}" for it in listed)
    assert set(server.shell(f"ls {STATE}/releases").split()) == {it["release"] for it in listed}


def assert_backup_can_be_restored(server: Machine) -> None:
    """Assert that only root can read the backup before the last upgrade, and that it has the column."""
    newest = server.shell(f"ls -d {UPGRADES}/2* | tail -n 1").strip()
    assert server.shell(f"stat -c '%a %U' {UPGRADES} {newest} {newest}/database.dump").split("\n")[:3] == [
        "700 root",
        "700 root",
        "600 root",
    ]
    server.shell(f"cp {newest}/database.dump /tmp/database.dump && chown postgres /tmp/database.dump")
    server.run("createdb", "restored", user="postgres")
    server.run("pg_restore", "--dbname=restored", "/tmp/database.dump", user="postgres")
    assert sql(server, "SELECT kept FROM dcor_trial", "restored") == "precious"
    server.run("dropdb", "restored", user="postgres")
