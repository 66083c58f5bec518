"""Timers and the rotation of logs work."""

from __future__ import annotations

import pytest
from dcor_dev.machine import Machine
from website import CURL, SITE, serves

LOGS = ("/var/log/ckan/web.log", "/var/log/ckan/jobs.log", "/var/log/dcor-server/converge.log")


@pytest.mark.parametrize("timer", ["dcor-nightly.timer", "dcor-converge.timer", "dcor-retry.timer"])
def test_a_timer_is_active_and_scheduled(server: Machine, timer: str) -> None:
    # It has no next time while its service runs, as dcor-converge does after the boot.
    state = f"systemctl show --value --property=ActiveState {timer.replace('.timer', '.service')}"
    server.shell(f"while [ $({state}) = activating ]; do sleep 0.2; done", timeout=300)
    shown = server.shell(f"systemctl show --property=ActiveState,UnitFileState,NextElapseUSecRealtime {timer}")
    assert "ActiveState=active\n" in shown
    assert "UnitFileState=enabled\n" in shown
    assert "NextElapseUSecRealtime=\n" not in shown


def test_the_regular_converge_changes_nothing(server: Machine) -> None:
    server.shell("systemctl start dcor-converge.service", timeout=300)
    assert server.path("/var/log/dcor-server/converge.log").read_text().splitlines()[-1].endswith(" unchanged")


def test_the_retry_timer_starts_no_converge_after_a_success(server: Machine) -> None:
    asked = "systemctl show --property=InvocationID dcor-converge.service"
    before = server.shell(asked)
    server.shell("systemctl start dcor-retry.service", timeout=300)
    assert server.shell(asked) == before


def test_programs_write_to_the_new_file_after_a_log_rotation(server: Machine) -> None:
    server.shell(f"for log in {' '.join(LOGS)}; do echo before >>$log; done")
    access = server.shell(f"stat -c '%a %U:%G' {' '.join(LOGS[:2])}")
    server.shell("logrotate --force /etc/logrotate.d/dcor-server")
    for log in LOGS:
        assert "before\n" in server.shell(f"cat {log}.1 2>/dev/null || zcat {log}.1.gz")
    server.shell(f"{CURL} --output /dev/null --cookie dcor=x {SITE}/dataset/none-of-this-name")
    # The line is written after the answer.
    server.shell(f"until grep --quiet none-of-this-name {LOGS[0]}; do sleep 0.1; done", timeout=60)
    assert server.shell(f"stat -c '%a %U:%G' {' '.join(LOGS[:2])}") == access
    assert serves(server)
