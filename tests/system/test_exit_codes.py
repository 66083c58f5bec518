"""Exit codes: an upgrade of a server that has worked never fails, dpkg-reconfigure and commands may fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from postgresql_cluster import LET_START, STOP_FOR_GOOD
from website import serves, wait_for_upgrade, wait_until_idle

pytestmark = pytest.mark.upgrades


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a working server, which works again after each test."""
    with Machine("exit-codes", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


@pytest.fixture
def broken(machine: Machine) -> Machine:
    """Return the server after a stop of PostgreSQL and a change of a managed file."""
    machine.shell(f"{STOP_FOR_GOOD} && echo '# drift' >>/etc/dcor-server/uwsgi.ini")
    return machine


def assert_recovery(machine: Machine) -> None:
    """Assert that a converge repairs the server after a start of PostgreSQL."""
    machine.shell(f"{LET_START}; dcor-server converge")
    assert serves(machine)
    machine.run("dcor-server", "status")


def test_an_upgrade_succeeds_and_status_says_why_nothing_was_changed(broken: Machine, debs: list[Path]) -> None:
    (ours,) = (path for path in layers.paths_inside(debs) if "/dcor-server_" in path)
    done = broken.run("dpkg", "-i", ours, env=layers.NONINTERACTIVE)
    assert "When apt has ended" in done.stdout + done.stderr
    wait_for_upgrade(broken)
    status = broken.run("dcor-server", "status", check=False)
    assert status.returncode == 3
    assert "PostgreSQL does not accept connections" in status.stdout
    assert broken.shell("dpkg --audit") == ""
    assert broken.failed_units() == ["dcor-converge.service"]
    broken.shell("systemctl start dcor-retry.service")
    assert broken.failed_units() == ["dcor-converge.service"]
    broken.shell(f"{LET_START}; systemctl start dcor-retry.service")
    assert broken.failed_units() == []
    assert not broken.path("/var/lib/dcor-server/pending/converge").exists()
    assert_recovery(broken)


def test_a_trigger_succeeds(broken: Machine) -> None:
    output = broken.shell(
        "dpkg-trigger --by-package=dcor-wheels /usr/share/dcor-wheels && dpkg --triggers-only --pending 2>&1"
    )
    assert "When apt has ended" in output
    wait_for_upgrade(broken)
    assert "PostgreSQL does not accept connections" in broken.run("dcor-server", "status", check=False).stdout
    assert broken.shell("dpkg --audit") == ""
    assert_recovery(broken)


def test_a_reconfiguration_fails_without_an_effect_on_dpkg(broken: Machine) -> None:
    done = broken.run("dpkg-reconfigure", "dcor-server", env=layers.NONINTERACTIVE, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert broken.shell("dpkg --audit") == ""
    assert_recovery(broken)


COMMANDS = (
    ("converge", 1, "PostgreSQL does not accept connections"),
    ("check", 3, "cannot log in"),
    ("status", 3, "! postgresql@"),
    ("get hostname", 0, "dcor.example.org"),
    ("get hostnam", 2, "hostnam"),
    ("conferge", 2, "conferge"),
    ("", 2, "usage"),
)


def test_the_exit_codes_of_commands(broken: Machine) -> None:
    for arguments, code, words in COMMANDS:
        done = broken.run("bash", "-c", f"dcor-server {arguments}", check=False)
        output = done.stdout + done.stderr
        assert (arguments, done.returncode) == (arguments, code)
        assert words in output
        assert "Traceback" not in output
    assert_recovery(broken)
