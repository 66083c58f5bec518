"""Debian's own Redis is stopped where it came with this package, once."""

from __future__ import annotations

import pytest

from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.services.redis.debian_instance import AUTOMATIC, UNIT, DebianInstanceStopped
from tests.unit.fake_machine import PUBLIC, Machine

STEP = DebianInstanceStopped()


def test_an_instance_that_came_with_us_is_stopped(machine: Machine) -> None:
    (outcome,) = run([STEP], machine.host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"{UNIT} came with this package, and nobody needs it")
    assert (machine.systemd.units[UNIT].active, machine.systemd.units[UNIT].file) == ("inactive", "disabled")


def test_one_that_the_administrator_starts_later_runs_on(machine: Machine) -> None:
    STEP.apply(machine.host)
    machine.systemd.units[UNIT].active = "active"
    assert STEP.check(machine.host) is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Package: redis-server\nArchitecture: amd64\nAuto-Installed: 0\n",
        "Package: redis-server\nArchitecture: amd64\n\nPackage: nginx\nArchitecture: amd64\nAuto-Installed: 1\n",
    ],
)
def test_one_that_the_administrator_has_installed_runs_on(machine: Machine, text: str | None) -> None:
    machine.host.remove(AUTOMATIC)
    if text is not None:
        machine.host.write(AUTOMATIC, text, PUBLIC)
    assert STEP.check(machine.host) is None
