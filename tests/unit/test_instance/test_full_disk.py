"""A disk that becomes full while a test instance is made or used: it is said, and nothing of production is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import PACKAGED_CKAN
from dcor_pkg.test_instance import database, places, room, services
from tests.unit.fake_programs.call import Call
from tests.unit.test_instance.second import REPORT, Second
from tests.unit.test_instance.test_making import files

THEME = "ckanext-dcor_theme"
NO_SPACE = "OSError: [Errno 28] No space left on device"
FULL = "A disk has become full; that of /var/lib/dcor-server/test-instance has 3 MiB"
#: what needs room while a test instance is made: a program, and a word of its call
MAKING = {
    "services": ("systemctl", services.STORE),
    "tools": (f"{PACKAGED_CKAN}/bin/python", "pip"),
    "environment": ("/usr/bin/python3.11", "venv"),
    "database": ("psql", database.CREATE),
    "tables": ("RELEASE/bin/python", "dcor_runtime.database"),
}


def filling(second: Second, program: str, word: str, said: str, free: int = 3 * disk.MIB) -> None:
    """Let the disk become full while a program runs that is called with a word, and let the program fail."""
    former = second.machine.programs[program]

    def fail(call: Call) -> str:
        if word not in (*call.argv, call.text):
            return former(call)
        second.machine.free = free
        raise call.failure(1, said)

    second.machine.programs[program] = fail


def fills(second: Second, then: Callable[[], None]) -> None:
    """Let the suite fill the disk."""
    run = second.machine.programs["systemd-run"]

    def suite(call: Call) -> str:
        if "--pipe" in call.options:
            second.machine.free = 3 * disk.MIB
            then()
        return run(call)

    second.machine.programs["systemd-run"] = suite


@pytest.mark.parametrize("name", MAKING)
def test_a_disk_that_becomes_full_is_named_and_leaves_nothing(second: Second, name: str) -> None:
    before, state = files(second), second.machine.state()
    filling(second, *MAKING[name], said="it failed for a reason that it does not say")
    ended = second("create")
    assert (ended.code, FULL in ended.err, "df -h" in ended.err) == (1, True, True), ended.err
    assert (files(second), second.marks) == (before, {})
    for unit in services.STARTED:
        second.machine.systemd.units.pop(unit, None)
    assert second.machine.state() == state


def test_a_program_that_has_freed_what_it_had_written_says_it_as_well(second: Second) -> None:
    filling(second, *MAKING["tools"], said=NO_SPACE, free=disk.GIB)
    ended = second("create")
    assert "A disk has become full; " in ended.err
    assert NO_SPACE in ended.err


def test_another_failure_says_nothing_of_a_disk(second: Second) -> None:
    filling(second, *MAKING["tools"], said="ERROR: no such wheel", free=100 * disk.GIB)
    ended = second("create")
    assert ("no such wheel" in ended.err, "disk" in ended.err) == (True, False), ended.err


def test_a_disk_without_inodes_is_full(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_inodes", lambda *_: (2, 1000))
    with pytest.raises(DcorError) as raised, room.explained(host):
        raise DcorError("It failed.")
    assert raised.value.reason.endswith(" MiB and room for 2 files left. It failed.")


def test_room_is_looked_at_before_each_suite(second: Second) -> None:
    second("create")
    second.machine.free = 400 * disk.MIB
    ended = second("run", "all")
    assert ended.code == 1
    assert f"{places.HOME} has 400 MiB of free space, and 512 MiB are needed." in ended.err
    assert second.machine.ran("systemd-run", "--quiet", "--wait", "--pipe") == []


def test_failures_on_a_full_disk_are_none_of_the_suite(second: Second) -> None:
    second("create")
    fills(second, lambda: None)
    ended = second("run", THEME, "--json")
    assert (ended.code, ended.out) == (1, "")
    assert f"So the failures of {THEME} say nothing of its code." in ended.err


def test_failures_that_name_a_full_disk_are_none_either(second: Second) -> None:
    second("create")
    second.report = REPORT.replace("assert 1 == 2", NO_SPACE)
    assert f"So the failures of {THEME} say nothing of its code." in second("run", THEME).err


def test_a_suite_that_passes_has_passed(second: Second) -> None:
    second("create")
    second.report, second.code = REPORT.replace("failure", "skipped"), 0
    fills(second, lambda: None)
    assert second("run", THEME).code == 0


def test_a_report_that_could_not_be_written_is_explained(second: Second) -> None:
    second("create")
    fills(second, lambda: setattr(second, "report", REPORT[:200]))
    ended = second("run", THEME)
    assert (ended.code, FULL in ended.err, "has left no report" in ended.err) == (1, True, True), ended.err


def test_a_removal_frees_room_first(second: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written after that, by PostgreSQL for example, needs it."""
    second("create")
    left: list[list[str]] = []
    real = database.drop

    def drop(host: Host) -> None:
        left.append(host.names(places.HOME))
        real(host)

    monkeypatch.setattr(database, "drop", drop)
    assert second("remove").code == 0
    assert left == [["nginx.conf", "redis.conf"]]


def test_a_removal_that_is_cut_off_leaves_no_complete_instance(second: Second) -> None:
    second("create")
    second.machine.fail("psql", words="the disk is full")
    assert second("remove").code == 1
    second.machine.failures.clear()
    assert "There is no test instance." in second("run", THEME).err
    assert second("create").code == 0
