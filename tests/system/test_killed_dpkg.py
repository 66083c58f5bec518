"""A dpkg that is killed, or cut off, in an upgrade: the site serves, `status` has the commands that end it.

The tests share a machine. The first one upgrades it, the others install the same versions again, in the same states.
All are long: test_crash.py cuts the power where dpkg has unpacked half of python-ckan, and goes on by dpkg's commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import watch
from contents import Contents, contents
from dcor_dev import layers
from dcor_dev.machine import Machine
from full_disk import full_disk
from migrations import active
from next_set import MOUNTED, NIGHT, TOGETHER, make, use, versions
from power_cut import CUTS
from survival import assert_survived
from users import publish_dataset
from website import assert_healthy, wait_for_page, wait_for_upgrade, wait_until_idle

from tests.conftest import Boot

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

LOG = "/var/log/dpkg.log"
UPGRADE = ("apt-get", "install", "--yes", "--reinstall", *TOGETHER)
#: what dpkg does with a package, as it logs it (dpkg(1), "--log")
WORDS = ("upgrade", "status half-installed", "status unpacked", "configure")
#: of those, some for the next night
NIGHT_ENDS = ("status half-installed dcor-server", "status half-installed python-ckan", "configure dcor-server")
MOMENTS = tuple(f"{word} {package}" for package in TOGETHER for word in WORDS)
#: in `dcor-server status`: the commands that end it
GO_ON = re.compile(r"to go on: (dpkg --configure -a), then apt ([a-z -]+)")


@pytest.fixture(scope="module")
def published(suite: str, debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with the next version of each package of a release."""
    return make(debs, tmp_path_factory.mktemp("next"), suite)


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, published: Path, package_mounts: dict[Path, str], suite: str) -> Iterator[Machine]:
    """Return a server that has measurements, and the next version in its repository."""
    with Machine("killed-dpkg", installed, read_only={**package_mounts, published: MOUNTED}) as machine:
        wait_until_idle(machine)
        publish_dataset(machine)
        use(machine, suite)
        watch.switch_off(machine)
        machine.run("apt-get", "update")
        yield machine


@pytest.fixture(scope="module")
def before(machine: Machine) -> Contents:
    """Return what the server holds, which no test changes."""
    return contents(machine)


def numbers(machine: Machine) -> set[str]:
    """Return the packages with their versions, whatever their states are."""
    return {line.rpartition(" ")[0] for line in versions(machine)}


def end_by_hand(machine: Machine) -> None:
    """Do what `status` says if something is half done, and upgrade again as the next night does."""
    journal = [path for path in machine.path("/var/lib/dpkg/updates").iterdir() if path.name.isdigit()]
    if journal or machine.run("dpkg", "--audit").stdout:
        said = GO_ON.search(machine.run("dcor-server", "status", check=False).stdout)
        assert said is not None
        # It fails where a package waits for another one that is not unpacked yet.
        machine.run(*said[1].split(), env=layers.NONINTERACTIVE, check=False)
        machine.run("apt-get", "--yes", *said[2].split(), env=layers.NONINTERACTIVE, timeout=900)
    machine.run("apt-get", "install", "--yes", *TOGETHER, env=layers.NONINTERACTIVE, timeout=900)
    wait_for_upgrade(machine)


def assert_upgraded(machine: Machine, before: Contents) -> None:
    assert {line.split()[2] for line in versions(machine)} == {"installed"}
    assert any(line.endswith("+next installed") for line in versions(machine))
    assert_healthy(machine)
    assert_survived(machine, before)


def cut(machine: Machine, moment: str, how: str) -> None:
    """Cut an upgrade off when dpkg logs this moment, and wait for the site, which serves meanwhile."""
    machine.shell(f": >{LOG}")
    CUTS[how](machine, lambda machine: f" {moment}:" in machine.path(LOG).read_text(), *UPGRADE)
    wait_for_page(machine)


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_upgrade_that_is_killed_can_be_ended_as_status_says(
    machine: Machine, before: Contents, moment: str, how: str
) -> None:
    cut(machine, moment, how)
    assert contents(machine) == before
    end_by_hand(machine)
    assert_upgraded(machine, before)


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("moment", NIGHT_ENDS)
def test_the_next_night_ends_an_upgrade_that_was_killed(
    machine: Machine, before: Contents, moment: str, how: str
) -> None:
    cut(machine, moment, how)
    assert machine.run("dpkg", "--audit").stdout or machine.shell("ls /var/lib/dpkg/updates")
    machine.shell(NIGHT, timeout=900)
    wait_for_upgrade(machine)
    assert machine.run("dpkg", "--audit").stdout == ""
    assert_upgraded(machine, before)


def test_a_disk_that_is_full_while_a_package_is_unpacked_changes_nothing(
    boot: Boot, installed: layers.Stack, published: Path, package_mounts: dict[Path, str], suite: str
) -> None:
    """What was unpacked before does not serve in a combination that nobody has tested, and can be ended afterwards."""
    machine = boot("full-dpkg", installed, read_only={**package_mounts, published: MOUNTED})
    wait_until_idle(machine)
    use(machine, suite)
    watch.switch_off(machine)
    before, serving, former = contents(machine), active(machine), numbers(machine)
    with full_disk(machine, "/usr/share/dcor-wheels", 3):
        command = "apt-get update && apt-get install --yes dcor-server"
        done = machine.run("sh", "-c", command, env=layers.NONINTERACTIVE, check=False, timeout=900)
        assert (done.returncode, "No space left on device" in done.stdout + done.stderr) == (100, True)
        wait_for_upgrade(machine)
        ended = machine.run("dcor-server", "converge", check=False, timeout=900)
        # apt decides whether others were unpacked before.
        assert (ended.returncode, active(machine)) == (int(numbers(machine) != former), serving), ended.stdout
        assert contents(machine) == before
    end_by_hand(machine)
    assert_upgraded(machine, before)
