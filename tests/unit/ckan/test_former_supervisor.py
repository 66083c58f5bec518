"""What former versions have left below Debian's supervisor is stopped and removed, and nothing else there."""

from __future__ import annotations

import pytest

from dcor_pkg.ckan import former_supervisor
from dcor_pkg.ckan.former_supervisor import DROP_IN, PROGRAMS, UNIT, NoFormerPrograms
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.runner import Result, run
from tests.unit.fake_machine import PUBLIC, Machine

STEP = NoFormerPrograms()
OWN = "[program:own]\ncommand = /usr/bin/own\n"
BACKUP = "[program:dcor-backup]\ncommand = /usr/bin/backup\n"
FORMER = "; Managed by dcor-server: the web server\n[program:dcor-web-1.0.aa]\ncommand = web\n[program:dcor-jobs-1.0.aa]\ncommand = jobs\n"


@pytest.fixture
def former(machine: Machine) -> Machine:
    """Return a machine with the programs of a former version, and one of the administrator's."""
    machine.host.write(f"{PROGRAMS}/dcor-1.0.aa.conf", FORMER, PUBLIC)
    machine.host.write(f"{PROGRAMS}/own.conf", OWN, PUBLIC)
    machine.host.write(f"{PROGRAMS}/dcor-backup.conf", BACKUP, PUBLIC)
    machine.host.write(DROP_IN, "[Unit]\n", PUBLIC)
    machine.debian_supervisor.restart()
    return machine


def test_a_server_without_them_has_nothing_to_do(machine: Machine) -> None:
    machine.host.write(f"{PROGRAMS}/own.conf", OWN, PUBLIC)
    assert STEP.check(machine.host) is None


def test_they_are_stopped_and_removed_and_others_run_on(former: Machine) -> None:
    (outcome,) = run([STEP], former.host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"{PROGRAMS}/dcor-1.0.aa.conf is a former version's")
    states = {name: it.state for name, it in former.debian_supervisor.loaded.items()}
    assert states == {"own": "RUNNING", "dcor-backup": "RUNNING"}
    assert former.host.names(PROGRAMS) == ["dcor-backup.conf", "own.conf"]
    assert not former.host.exists(DROP_IN)
    assert run([STEP], former.host)[0].result is Result.UNCHANGED


def test_job_workers_stop_first(former: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(former_supervisor, "_stop", lambda host, program: stopped.append(program))
    STEP.apply(former.host)
    assert stopped == ["dcor-jobs-1.0.aa", "dcor-web-1.0.aa"]


def test_where_supervisor_is_stopped_the_files_are_removed(former: Machine) -> None:
    former.systemd.units[UNIT].active = "inactive"
    STEP.apply(former.host)
    assert STEP.check(former.host) is None


def test_a_supervisor_that_does_not_answer_is_an_error_and_the_files_stay(
    former: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DcorError("What listens at /run/supervisor.sock answers with status 401.")

    monkeypatch.setattr("dcor_pkg.machine.unix_http.rpc", refuse)
    with pytest.raises(DcorError, match=r"still run below supervisor.service, .* status 401") as raised:
        STEP.apply(former.host)
    assert raised.value.hint == "rm /etc/supervisor/conf.d/dcor-*.conf; systemctl restart supervisor.service"
    assert STEP.check(former.host) is not None


def test_a_program_that_does_not_stop_is_named(former: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(former_supervisor, "STOP_TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(former.debian_supervisor, "stopProcess", lambda name, wait: True)
    with pytest.raises(DcorError, match=r"dcor-jobs-1.0.aa does not stop"):
        STEP.apply(former.host)
