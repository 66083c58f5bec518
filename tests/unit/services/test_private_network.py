"""A machine on which the object store could not start is refused in a second, and not after minutes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.services import engines
from dcor_pkg.services.object_store import private_network
from dcor_pkg.services.object_store.local import UNIT
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.systemd import MAIN

(ENGINE,) = (engine for engine in engines.ENGINES if engine.unit == UNIT)


def test_a_machine_with_private_networks_can_have_the_store(machine: Machine) -> None:
    ENGINE.require(machine.host)
    assert machine.ran("systemd-run") == [private_network.TRIAL]


def test_without_the_capability_the_reason_and_both_ways_out_are_told(machine: Machine) -> None:
    machine.fail("systemd-run")
    with pytest.raises(DcorError, match="needs a network of its own") as error:
        ENGINE.require(machine.host)
    assert "CAP_NET_ADMIN" in error.value.hint
    assert "external object store" in error.value.hint


@pytest.mark.parametrize(("of_machine", "number"), [("net:[1]", 1), ("net:[2]", 0)])
def test_a_store_in_the_network_of_the_machine_is_named(machine: Machine, of_machine: str, number: int) -> None:
    machine.systemd.units[UNIT].active = "active"
    for process, network in ((1, of_machine), (MAIN, "net:[1]")):
        machine.host.path(f"/proc/{process}/ns").mkdir(parents=True)
        machine.host.path(f"/proc/{process}/ns/net").symlink_to(network)
    found = private_network.notices(machine.host)
    assert [it.message for it in found] == [
        "runs without a network of its own, so that all users of this machine can reach its ports"
    ] * number


def test_no_store_is_in_no_network(machine: Machine) -> None:
    assert private_network.notices(machine.host) == []
    machine.fail("systemctl")
    assert private_network.notices(machine.host) == []


@pytest.mark.parametrize(("other", "code"), [("net:[2]", 0), ("", 1)])
def test_the_trial_fails_in_the_network_of_the_machine(other: str, code: int) -> None:
    program = (
        private_network.PROGRAM.replace("os.readlink('/proc/1/ns/net')", repr(other))
        if other
        else private_network.PROGRAM
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=False)
    assert done.returncode == code


def test_a_store_that_runs_needs_no_trial(machine: Machine) -> None:
    machine.fail("systemd-run")
    machine.systemd.units[UNIT].active = "active"
    ENGINE.require(machine.host)
