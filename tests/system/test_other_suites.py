"""What is tested at length on one Debian works on the others too."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import layers, roots
from dcor_dev.machine import Machine
from people import client, person
from served import await_page, serves

CLIENTS = Path(__file__).with_name("clients.txt")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take each Debian but the one that all other tests run on."""
    metafunc.parametrize("other", [suite for suite in roots.SUITES if suite != metafunc.config.getoption("--suite")])


@pytest.mark.system
def test_it_installs_takes_a_measurement_and_stays_as_it_is(other: str) -> None:
    """Install without a network, upload and read back, converge again."""
    stack = (*layers.installed(other, layers.built(other)), layers.clients(other, CLIENTS))
    with Machine(f"on-{other}", stack) as machine:
        await_page(machine)
        assert serves(machine)
        seen = client(machine, "measurement", "--token", person(machine, "measurer").token)
        assert seen["resources"]["calibration_beads_47.rtdc"]["dclab"]["deform[0]"] == 0.011666297
        assert "0 changed" in machine.run("dcor-server", "converge").stdout
        assert machine.run("dcor-server", "check").returncode == 0
        assert machine.failed_units() == []
