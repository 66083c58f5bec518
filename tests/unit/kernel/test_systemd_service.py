"""Services of systemd: what is pending is carried out once, and a failed start is explained by the journal."""

from __future__ import annotations

import pytest

from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.kernel.systemd_service import Service, ServiceStarting
from tests.unit.fake_machine import Machine

UNIT = "dcor-solr.service"
RESTART, RELOAD = f"restart {UNIT}", f"reload {UNIT}"


@pytest.mark.parametrize(
    ("actions", "verb"),
    [((), "start"), ((RELOAD,), "reload-or-restart"), ((RESTART,), "restart"), ((RESTART, RELOAD), "restart")],
)
def test_what_is_pending_is_carried_out_once(machine: Machine, actions: tuple[str, ...], verb: str) -> None:
    for action in actions:
        pending.request(machine.host, action)
    run([Service(UNIT)], machine.host)
    verbs = [argv[1] for argv in machine.ran("systemctl") if argv[1] not in ("show", "enable", "daemon-reload")]
    assert verbs == [verb]
    assert machine.host.names(pending.DIRECTORY) == []


def test_a_pending_restart_is_the_reason(machine: Machine) -> None:
    run([Service(UNIT)], machine.host)
    pending.request(machine.host, RESTART)
    assert Service(UNIT).check(machine.host) == "its restart is pending"


def test_a_start_that_fails_is_explained_by_the_journal(machine: Machine) -> None:
    lines = [f"line {number}" for number in range(20)]
    machine.systemd.broken[UNIT] = "\n".join(lines)
    pending.request(machine.host, RESTART)
    (outcome,) = run([Service(UNIT)], machine.host)
    assert (outcome.result, outcome.reason) == (Result.FAILED, f"`systemctl restart {UNIT}` failed")
    assert outcome.hint.splitlines() == lines[-12:]
    assert pending.is_pending(machine.host, RESTART)


def test_a_unit_that_has_given_up_may_start_again(machine: Machine) -> None:
    machine.systemd.units[UNIT].active = "failed"
    run([Service(UNIT)], machine.host)
    assert machine.ran("systemctl", "reset-failed") == [("systemctl", "reset-failed", UNIT)]


def test_a_start_in_the_queue_is_a_start(machine: Machine) -> None:
    machine.systemd.units[UNIT].job = "4711"
    assert ServiceStarting(UNIT).check(machine.host) is None


def test_a_start_in_the_background_that_fails_at_once_is_explained_by_the_journal(machine: Machine) -> None:
    machine.systemd.units[UNIT].active = "inactive"
    machine.systemd.broken[UNIT] = "no such directory"
    (outcome,) = run([ServiceStarting(UNIT)], machine.host)
    assert (outcome.result, outcome.reason) == (Result.FAILED, f"`systemctl start {UNIT}` failed")
    assert outcome.hint == "no such directory"
