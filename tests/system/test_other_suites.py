"""The main functions, tested in detail on one Debian release, work on the others as well."""

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
    """Parametrize the test with each Debian except the one of all other tests."""
    metafunc.parametrize("other", [suite for suite in roots.SUITES if suite != metafunc.config.getoption("--suite")])


def reconfigure(machine: Machine) -> None:
    """Reconfigure the server in a dialog of this Debian's debconf and whiptail."""
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


def test_installation_measurement_reconfiguration_and_converge_work(other: str) -> None:
    """Install without a network, upload and read a measurement, reconfigure, and converge without a change."""
    stack = (*layers.installed(other, layers.build_packages(other)), layers.clients(other, CLIENTS))
    with Machine(f"on-{other}", stack) as machine:
        wait_for_page(machine)
        assert serves(machine)
        seen = run_client(machine, "measurement", "--token", make_user(machine, "measurer").token)
        assert seen["resources"]["calibration_beads_47.rtdc"]["dclab"]["deform[0]"] == 0.011666297
        reconfigure(machine)
        assert "0 changed" in machine.run("dcor-server", "converge").stdout
        assert machine.run("dcor-server", "check").returncode == 0
        assert machine.failed_units() == []
