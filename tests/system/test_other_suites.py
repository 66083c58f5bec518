"""What is tested at length on one Debian works on the others too."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import layers, roots
from dcor_dev.machine import Machine
from debconf_frontends import install_frontends, setting
from terminal import running
from users import make_user, run_client
from website import serves, wait_for_page

CLIENTS = Path(__file__).with_name("clients.txt")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take each Debian but the one that all other tests run on."""
    metafunc.parametrize("other", [suite for suite in roots.SUITES if suite != metafunc.config.getoption("--suite")])


def asked_again(machine: Machine) -> None:
    """Reconfigure it in a dialogue, of this Debian's debconf and whiptail."""
    install_frontends(machine)
    with running(machine, "dpkg-reconfigure --priority=high dcor-server") as terminal:
        terminal.answer("Name of the server:", "C-u", "no host", "Enter")
        terminal.answer("Invalid answer", "Enter")
        terminal.answer("no host____", "C-u", "dcor.example.org", "Enter")
        terminal.answer("Email address of the administrator:", "C-u", "other@example.org", "Enter")
        terminal.answer("Certificate of the server:", "Enter")
        terminal.answer("Directory for the measurements:", "Enter")
        assert "is up" in terminal.wait_for_exit()
    assert setting(machine, "email") == "other@example.org"


def test_it_installs_takes_a_measurement_and_stays_as_it_is(other: str) -> None:
    """Install without a network, upload and read back, converge again."""
    stack = (*layers.installed(other, layers.build_packages(other)), layers.clients(other, CLIENTS))
    with Machine(f"on-{other}", stack) as machine:
        wait_for_page(machine)
        assert serves(machine)
        seen = run_client(machine, "measurement", "--token", make_user(machine, "measurer").token)
        assert seen["resources"]["calibration_beads_47.rtdc"]["dclab"]["deform[0]"] == 0.011666297
        asked_again(machine)
        assert "0 changed" in machine.run("dcor-server", "converge").stdout
        assert machine.run("dcor-server", "check").returncode == 0
        assert machine.failed_units() == []
