"""The real unattended-upgrade, through apt's own units, takes our packages together; a night is one release."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from availability import kinds_of_users, measure_kinds, table
from dcor_dev import layers
from dcor_dev.machine import Machine
from next_set import MOUNTED, NIGHT, TOGETHER, make, use, versions
from website import WAIT_FOR_UPGRADE, assert_healthy, wait_until_idle

from tests.conftest import Boot

pytestmark = pytest.mark.upgrades

LOG = "/var/log/dcor-server/converge.log"


@pytest.fixture(scope="module")
def published(suite: str, debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with the next version of each package of a release."""
    return make(debs, tmp_path_factory.mktemp("next"), suite)


@pytest.fixture(scope="module")
def mounts(published: Path, package_mounts: dict[Path, str]) -> dict[Path, str]:
    """Return what machines see of this directory tree."""
    return {**package_mounts, published: MOUNTED}


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, mounts: dict[Path, str], suite: str) -> Iterator[Machine]:
    """Return a running server that finds updates in the repository, and installs none yet."""
    with Machine("updates", installed, read_only=mounts) as machine:
        wait_until_idle(machine)
        use(machine, suite)
        yield machine


def assert_one_release_of_the_next_set(machine: Machine, before: set[str]) -> None:
    """Assert that all packages were upgraded by one run of dpkg, after which one release was made."""
    after = versions(machine)
    assert before & after == set()
    assert {line.split()[2] for line in after} == {"installed"}
    (history,) = (part for part in machine.shell("cat /var/log/apt/history.log").split("\n\n") if "+next" in part)
    assert all(f"{package}:" in history for package in TOGETHER)
    log = machine.path(LOG).read_text()
    assert (log.count("* release: "), log.count("* active release: "), log.count(" changed, ")) == (1, 1, 1)
    assert machine.shell("ls /var/lib/dcor-server/releases").count("\n") == 2  # the former one is kept
    assert machine.shell("cat /var/lib/dcor-server/version").endswith("+next\n")
    assert_healthy(machine)


def test_the_package_of_debian_is_recommended_and_installed(machine: Machine) -> None:
    assert machine.run("dpkg-query", "--show", "--showformat=${db:Status-Status}", "unattended-upgrades").stdout == (
        "installed"
    )
    assert 'APT::Periodic::Unattended-Upgrade "1";' in machine.shell("apt-config dump")


def test_the_files_of_the_first_installation_are_kept_for_a_repair(machine: Machine, debs: list[Path]) -> None:
    (kept,) = machine.shell("ls --directory /var/lib/dcor-server/packages/*").split()
    assert set(machine.shell(f"ls {kept}").split()) == {Path(path).name for path in layers.paths_inside(debs)}
    assert machine.shell(f"stat --format=%a {kept}/..") == "700\n"


def test_a_package_that_is_half_installed_is_told_with_the_command(machine: Machine, debs: list[Path]) -> None:
    (store,) = (path for path in layers.paths_inside(debs) if "/dcor-object-store_" in path)
    machine.run("dpkg", "--unpack", store)
    status = machine.run("dcor-server", "status", check=False)
    assert status.returncode == 3
    assert "dcor-object-store is unpacked; to go on: dpkg --configure -a" in status.stdout
    machine.shell("dpkg --configure -a && dcor-server converge")
    assert_healthy(machine)


def test_a_package_on_hold_holds_all_and_status_says_so(machine: Machine) -> None:
    before = versions(machine)
    machine.shell(f"apt-mark hold dcor-wheels; : >{LOG}; {NIGHT}; {WAIT_FOR_UPGRADE}", timeout=600)
    assert versions(machine) == before
    assert "* release: " not in machine.path(LOG).read_text()
    status = json.loads(machine.run("dcor-server", "status", "--json").stdout)
    assert any(notice["file"] == "dcor-wheels" and "is on hold" in notice["message"] for notice in status["notices"])
    (part,) = (part for part in status["parts"] if part["name"] == "updates")
    assert "dcor-server " in part["detail"]
    assert "never" not in part["detail"]
    machine.shell("apt-mark unhold dcor-wheels; rm -f /var/lib/apt/periodic/*")


def test_a_night_in_minimal_steps_is_one_release_and_no_request_fails(machine: Machine) -> None:
    """This is Debian's default."""
    kinds, before = kinds_of_users(machine), versions(machine)
    machine.shell(f": >{LOG}")
    measured = measure_kinds(machine, f"{NIGHT}; {WAIT_FOR_UPGRADE}", kinds, timeout=900)
    print(f"\n{table(measured)}")
    assert {kind: found.failed for kind, found in measured.items() if found.failed} == {}
    assert_one_release_of_the_next_set(machine, before)


@pytest.mark.long
def test_a_night_all_at_once_is_one_release(
    boot: Boot, installed: layers.Stack, mounts: dict[Path, str], suite: str
) -> None:
    machine = boot("updates-at-once", installed, read_only=mounts)
    wait_until_idle(machine)
    use(machine, suite)
    before = versions(machine)
    machine.shell("echo 'Unattended-Upgrade::MinimalSteps \"false\";' >/etc/apt/apt.conf.d/99steps")
    machine.shell(f": >{LOG}; {NIGHT}; {WAIT_FOR_UPGRADE}", timeout=900)
    assert_one_release_of_the_next_set(machine, before)
