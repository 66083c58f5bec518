"""What breaks is seen by `check`, brought back by one converge, and then nothing differs any more.

What cannot be brought back is named. All tests share a machine, and each leaves it as it was.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import traffic
from cases import cases
from contents import Contents, contents
from damages import ALONE, DAMAGES, REFUSED, STATE, SUPERVISORCTL, TOGETHER
from dcor_dev import layers
from dcor_dev.machine import Machine
from running_services import start_times
from users import publish_dataset
from website import CURL, SITE, assert_healthy, wait_until_idle

#: how often `check` is run to see whether it finds what is not there
RUNS = 50
#: how often it is tried whether the jobs of uploads have ended
ATTEMPTS = 20


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server with a public dataset, whose timers do not converge meanwhile."""
    with Machine("damaged", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


@pytest.fixture(scope="module")
def objects(machine: Machine) -> list[str]:
    """Return the paths of the objects of a public dataset."""
    return publish_dataset(machine)


@pytest.fixture(scope="module")
def kept(machine: Machine, objects: list[str]) -> Contents:
    """Return what the server holds from now on, when the jobs of the uploads have ended."""
    found = contents(machine)
    for _ in range(ATTEMPTS):
        before, found = found, contents(machine)
        if before == found:
            return found
    raise AssertionError("The contents of the server go on changing.")


def check(machine: Machine) -> dict[str, str]:
    """Return the reasons of steps that differ."""
    done = machine.run("dcor-server", "check", "--json", check=False)
    found = {it["step"]: it["reason"] for it in json.loads(done.stdout)["steps"] if it["reason"]}
    assert done.returncode == (3 if found else 0), done.stderr
    return found


def assert_whole(machine: Machine, objects: list[str]) -> None:
    """Assert that nothing differs, that the site works, and that strangers read what is public."""
    assert check(machine) == {}
    assert_healthy(machine)
    addresses = " ".join(f"--output /dev/null {SITE}{path}" for path in objects)
    assert set(machine.shell(f"{CURL} --write-out '%{{http_code}}\n' {addresses}").split()) == {"200"}
    assert json.loads(machine.shell(f"{CURL} '{SITE}/api/3/action/package_search'"))["result"]["count"] == 1


def starts(machine: Machine) -> dict[str, str]:
    """Return when each unit was started, and the process of each of CKAN's programs, or its state without one."""
    units = {name.removeprefix("Id="): start for name, start in start_times(machine).items()}
    lines = machine.shell(f"{SUPERVISORCTL} status || [ $? = 3 ]").splitlines()
    return {**units, **{line.split()[0]: line.partition(" pid ")[2].partition(",")[0] or line for line in lines}}


def assert_undisturbed(before: dict[str, str], after: dict[str, str], allowed: Collection[str]) -> None:
    """Assert that all runs on, but for what matches a pattern of those that may be restarted."""
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert {name for name in changed if not any(fnmatch(name, pattern) for pattern in allowed)} == set()


def assert_healed(machine: Machine, names: Collection[str]) -> None:
    """Do damages at once, and assert that each is named, and that one converge heals them all."""
    before = starts(machine)
    for name in names:
        machine.shell(DAMAGES[name].command)
    found = [f"{step}: {reason}" for step, reason in check(machine).items()]
    assert {name for name in names if not any(DAMAGES[name].said in it for it in found)} == set(), found
    converged = machine.run("dcor-server", "converge", check=False)
    assert converged.returncode == 0, converged.stdout + converged.stderr
    assert re.search(r"\b0 changed", machine.shell("dcor-server converge"))
    assert_undisturbed(before, starts(machine), [it for name in names for it in DAMAGES[name].restarts])


#: what the store may lose below the data directory
LOST = {"database of the filer": "filerldb2", "volumes": "*.dat"}


@pytest.mark.parametrize("name", cases(DAMAGES, set(DAMAGES) - set(ALONE)))
def test_damage_is_seen_and_brought_back(machine: Machine, objects: list[str], kept: Contents, name: str) -> None:
    assert_healed(machine, [name])
    assert_whole(machine, objects)
    assert contents(machine) == kept


@pytest.mark.long
def test_damages_at_the_same_time_are_all_seen_and_brought_back(
    machine: Machine, objects: list[str], kept: Contents
) -> None:
    assert_healed(machine, TOGETHER)
    assert_whole(machine, objects)
    assert contents(machine) == kept


@pytest.mark.long
def test_what_redis_forgets_keeps_nobody_from_working(machine: Machine, objects: list[str], kept: Contents) -> None:
    """Nothing that lasts is in it; a job goes through each queue again at once, as `status` tries."""
    before = starts(machine)
    machine.shell("redis-cli -s /run/redis-dcor/redis.sock FLUSHALL")
    assert_whole(machine, objects)
    assert re.search(r"\b0 changed", machine.shell("dcor-server converge"))
    assert_undisturbed(before, starts(machine), ())
    assert contents(machine) == kept


@pytest.mark.parametrize("name", cases(REFUSED, set(REFUSED) - {"database of another server"}))
def test_what_cannot_be_brought_back_is_refused_with_what_to_do(
    machine: Machine, objects: list[str], kept: Contents, name: str
) -> None:
    lost, before = REFUSED[name], starts(machine)
    machine.shell(lost.command)
    refused = machine.run("dcor-server", "converge", check=False)
    said = refused.stdout + refused.stderr
    machine.shell(lost.undo)
    assert (refused.returncode, lost.reason in said, lost.hint in said) == (1, True, True), said
    machine.shell("dcor-server converge")
    assert_undisturbed(before, starts(machine), ())
    assert_whole(machine, objects)
    assert contents(machine) == kept


@pytest.mark.parametrize("lost", cases(LOST, LOST))
def test_files_that_the_store_has_lost_are_named(machine: Machine, objects: list[str], lost: str) -> None:
    """They cannot be brought back, so nothing says that all is well."""
    machine.shell(
        f"systemctl stop dcor-object-store && cd /data/object-store && rm -rf /root/lost && mkdir /root/lost && mv {LOST[lost]} /root/lost/ "
        "&& systemctl start dcor-object-store"
    )
    status = machine.run("dcor-server", "status", check=False)
    assert (status.returncode, "files that were looked at cannot be read from the store" in status.stdout) == (3, True)
    assert "cannot be read from the store" in check(machine)["stored files"]
    converged = machine.run("dcor-server", "converge", check=False)
    assert (converged.returncode, "restore the data directory" in converged.stdout) == (0, True)
    machine.shell(
        "systemctl stop dcor-object-store && cd /data/object-store && rm -rf $(ls /root/lost) && mv /root/lost/* . && "
        "rmdir /root/lost && systemctl start dcor-object-store && dcor-server converge"
    )
    assert_whole(machine, objects)


@pytest.mark.long
def test_a_changed_file_of_the_programs_is_kept_and_converges_go_on(machine: Machine, objects: list[str]) -> None:
    machine.shell(f"echo '; changed by a person' >> $(ls {STATE}/programs/*.conf)")
    machine.run("dcor-server", "converge")
    assert_whole(machine, objects)
    assert "changed by a person" in machine.shell(f"cat {STATE}/programs/*.conf")
    machine.shell(f"rm {STATE}/programs/*.conf && dcor-server converge")
    assert_whole(machine, objects)


@pytest.mark.long
def test_check_finds_nothing_on_a_whole_server(machine: Machine, objects: list[str]) -> None:
    assert false_alarms(machine, "idle") == []


@pytest.mark.long
def test_check_finds_nothing_during_uploads(machine: Machine, objects: list[str]) -> None:
    """The last test, since it leaves datasets."""
    work = traffic.begin(machine)
    found = false_alarms(machine, "during uploads")
    print(work.end())
    assert found == []


def false_alarms(machine: Machine, when: str) -> list[str]:
    """Run `check` many times, print how long it took, and return what it said where it has found something."""
    found, seconds = [], []
    for _ in range(RUNS):
        begin = time.monotonic()
        done = machine.run("dcor-server", "check", check=False)
        seconds.append(time.monotonic() - begin)
        if done.returncode != 0:
            found.append(done.stdout + done.stderr)
    print(f"check, {when}: {RUNS} runs, median {statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s")
    return found
