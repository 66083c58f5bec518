"""A machine on which the object store could not start is refused in a second, and not after minutes."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.services import engines
from dcor_pkg.services.object_store import private_network
from dcor_pkg.services.object_store.local import UNIT
from tests.unit.fake_machine import Machine

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


def test_a_store_that_runs_needs_no_trial(machine: Machine) -> None:
    machine.fail("systemd-run")
    machine.systemd.units[UNIT].active = "active"
    ENGINE.require(machine.host)
