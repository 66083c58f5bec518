"""Our PostgreSQL cluster runs: its own unit is started, and a drop-in lets systemd start it again when it is killed."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.services.postgresql import cluster
from dcor_pkg.services.postgresql.cluster import ClusterRunning
from dcor_pkg.verbs.take_down import take_down
from tests.unit.command_line import CommandLine
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.postgresql import DROP_IN, FORMER_DROP_IN, UNIT


def test_a_converge_starts_a_killed_cluster_by_its_own_unit(dcor_server: CommandLine) -> None:
    machine = dcor_server.converged().machine
    machine.systemd.units[UNIT].active = "failed"
    assert dcor_server("converge").code == 0
    assert machine.systemd.is_active(UNIT)
    assert machine.ran("systemctl", "start", UNIT) == [("systemctl", "start", UNIT)]
    assert machine.ran("systemctl", "reset-failed") == [("systemctl", "reset-failed", UNIT)]
    assert "0 changed" in dcor_server("converge").out


def test_a_cluster_that_does_not_start_is_named_with_the_words_of_its_journal(machine: Machine) -> None:
    machine.systemd.units[UNIT].active = "failed"
    machine.systemd.broken[UNIT] = "Error: could not exec pg_ctl\n"
    (outcome,) = run([ClusterRunning()], machine.host)
    assert outcome.result is Result.FAILED
    assert (outcome.reason, outcome.hint) == (f"`systemctl start {UNIT}` failed", "Error: could not exec pg_ctl")


def test_a_cluster_that_starts_and_does_not_answer_in_time_is_an_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "START_SECONDS", 0.0)
    monkeypatch.setattr(cluster, "is_ready", lambda _: False)
    with pytest.raises(DcorError, match="does not accept connections yet on port 5432") as raised:
        ClusterRunning().apply(machine.host)
    assert UNIT in raised.value.hint


def test_systemd_starts_it_again_when_it_is_killed_but_not_when_it_was_stopped(machine: Machine) -> None:
    run([ClusterRunning()], machine.host)
    drop_in = configparser.ConfigParser()
    drop_in.read_string(machine.host.read(DROP_IN) or "")
    assert dict(drop_in["Service"])["restart"] == "on-failure"
    assert drop_in["Service"]["RestartPreventExitStatus"] == "0"
    assert drop_in["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_drop_in_goes_along_to_the_cluster_of_a_new_version(machine: Machine) -> None:
    machine.host.write(FORMER_DROP_IN, "[Service]\n", cluster.Cluster("13", "main", False).drop_in.access)
    (outcome,) = run([ClusterRunning()], machine.host)
    assert outcome.result is Result.CHANGED
    assert (machine.host.exists(DROP_IN), machine.host.exists(FORMER_DROP_IN)) == (True, False)


def test_a_removal_takes_the_drop_in_back_and_a_purge_removes_it(dcor_server: CommandLine) -> None:
    machine = dcor_server.converged().machine
    take_down(machine.host, lambda *problem: pytest.fail(str(problem)))
    assert not machine.host.exists(DROP_IN)
    assert machine.systemd.is_active(UNIT)
    postrm = (Path(__file__).resolve().parents[3] / "debian" / "dcor-server.postrm").read_text(encoding="utf-8")
    assert " /etc/systemd/system/postgresql@*.service.d/dcor-server.conf\n" in postrm
