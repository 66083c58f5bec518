"""`dcor-server nightly`, `ckan` and `dcor`: commands of the active release, as CKAN's user."""

from __future__ import annotations

import os
import re

import pytest

from dcor_pkg.ckan import programs, release, unit, upgrade_backup
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.verbs import certificate_end
from dcor_pkg.verbs.nightly import JOBS
from tests.unit.command_line import CommandLine

#: a dump of a way back, from long ago
LEFT = f"{upgrade_backup.DIRECTORY}/20200101T000000-2.11.5{upgrade_backup.LEFT}"
#: the modules of dcor-server's own that run after the commands of CKAN
OWN = (("jobs", "retry-passing"), ("reconcile", "7.0"))


class Replaced(BaseException):
    """The process would have become another program."""


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    dcor_server.converged()
    dcor_server.machine.ckan.commands.clear()
    return dcor_server


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the arguments of the programs that this process becomes."""
    found: list[list[str]] = []

    def execv(path: str, argv: list[str]) -> None:
        assert path == argv[0]
        found.append(argv)
        raise Replaced

    monkeypatch.setattr(os, "execv", execv)
    return found


def test_all_jobs_run_in_the_active_release(server: CommandLine) -> None:
    server.machine.host.make_directory(LEFT, Access(0o700))
    ended = server("nightly")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert not server.machine.host.exists(LEFT)
    assert server.machine.ckan.commands == [*JOBS, *OWN]
    started = [call.argv[0] for call in server.machine.calls if call.argv[0].startswith(release.DIRECTORY)]
    home = f"{release.DIRECTORY}/{release.active(server.machine.host)}"
    assert set(started[-len(JOBS) - len(OWN) :]) == {f"{home}/bin/ckan", f"{home}/bin/python"}


def test_the_days_that_objects_stay_can_be_given(server: CommandLine) -> None:
    assert server("nightly", "--days", "0").code == 0
    assert server.machine.ckan.commands[-1] == ("reconcile", "0.0")
    for days in ("-1", "nan", "x", "1e9"):
        assert server("nightly", f"--days={days}").code == 2


def test_objects_of_which_the_database_should_know_are_reported(server: CommandLine) -> None:
    server.machine.ckan.results["reconcile"] = {"unknown": 12, "suspicious": True}
    ended = server("nightly")
    assert (ended.code, ended.out) == (1, "")
    assert "The nightly job `reconcile` failed: The database does not know 12 objects in the store" in ended.err
    assert ended.err.splitlines()[1].endswith("dcor-server unknown-objects")


def test_a_job_that_fails_is_reported_with_its_output_and_the_others_run(server: CommandLine) -> None:
    server.machine.ckan.fault["run-jobs-dc-view"] = "sqlalchemy.exc.OperationalError\nno connection"
    ended = server("nightly")
    assert (ended.code, ended.out) == (1, "")
    lines = ended.err.splitlines()
    assert lines[0].startswith("dcor-server: The nightly job `run-jobs-dc-view --modified-days 1` failed: ")
    assert lines[1:] == ["    sqlalchemy.exc.OperationalError", "    no connection"]
    assert server.machine.ckan.commands == [*JOBS, *OWN]


def test_that_jobs_cannot_be_queued_again_is_reported_and_the_rest_runs(server: CommandLine) -> None:
    server.machine.ckan.fault["jobs"] = "redis.exceptions.ConnectionError"
    ended = server("nightly")
    assert (ended.code, "The nightly job `retry` failed: " in ended.err) == (1, True)
    assert server.machine.ckan.commands == [*JOBS, *OWN]


MAPS = """\
563a1d5000-563a1d6000 r-xp 00001000 fe:01 1201 /usr/bin/python3.11
7f0c1a4000-7f0c1a5000 r-xp 00001000 fe:01 1202 {library}
7f0c1a6000-7f0c1a7000 rw-s 00000000 00:01 1203 /dev/zero (deleted)
7f0c1a8000-7f0c1a9000 rw-p 00000000 00:00 0
"""


#: the control groups of processes, by their numbers
GROUPS = {
    1: unit.UNIT,
    2: unit.UNIT,
    3: "redis-server@dcor.service",
    4: "postgresql@15-main.service",
    5: "dcor-solr.service",
    6: "other.service",
    7: "redis-server.service",
}
OURS = (1, 2, 3, 4, 5)


def run_processes(server: CommandLine) -> None:
    """Let the processes of others use what was replaced."""
    for each, group in GROUPS.items():
        server.machine.host.write(f"/proc/{each}/cgroup", f"0::/system.slice/{group}\n", Access(0o444))
        replace_library(server, each, each not in OURS)


def replace_library(server: CommandLine, process: int, is_replaced: bool = True) -> None:
    """Let a process use a library as an upgrade has left it, or its former version."""
    library = f"/usr/lib/libssl.so.3{' (deleted)' if is_replaced else ''}"
    server.machine.host.write(f"/proc/{process}/maps", MAPS.format(library=library), Access(0o444))


@pytest.mark.parametrize("process", [1, 2])
def test_ckan_that_uses_what_an_upgrade_has_replaced_is_switched_to_other_programs(
    server: CommandLine, process: int
) -> None:
    """A restart of its unit would take the sockets away, and requests fail."""
    machine, former = server.machine, programs.serving(server.machine.host)
    run_processes(server)
    replace_library(server, process)
    assert f"/usr/lib/libssl.so.3 is used by {unit.UNIT}, and an upgrade has replaced it" in server("status").out
    assert server("nightly").code == 0
    assert pending.is_pending(machine.host, pending.CONVERGE)
    replace_library(server, process, is_replaced=False)
    before = len(machine.calls)
    assert server("converge").code == 0
    now = programs.serving(machine.host)
    assert former is not None
    assert now is not None
    assert (now.release, now.configuration != former.configuration) == (former.release, True)
    assert [call.argv for call in machine.calls[before:] if call.argv[:2] == ("systemctl", "restart")] == []
    assert server("nightly").code == 0
    assert "0 changed" in server("converge").out


def test_the_supervisor_of_ckan_is_no_reason_for_other_programs(server: CommandLine) -> None:
    """Nobody but root talks to it, and they would not change what it uses."""
    run_processes(server)
    replace_library(server, 1)
    command = "/usr/bin/python3\0/usr/bin/supervisord\0--nodaemon\0"
    server.machine.host.write("/proc/1/cmdline", command, Access(0o444))
    server("nightly")
    assert not pending.is_pending(server.machine.host, pending.CONVERGE)


@pytest.mark.parametrize("process", [3, 4, 5])
def test_a_service_that_uses_what_an_upgrade_has_replaced_is_restarted(server: CommandLine, process: int) -> None:
    host = server.machine.host
    run_processes(server)
    assert server("nightly").code == 0
    assert not pending.is_pending(host, pending.CONVERGE)
    replace_library(server, process)
    told = f"/usr/lib/libssl.so.3 is used by {GROUPS[process]}, and an upgrade has replaced it"
    assert told in server("status").out
    assert server("nightly").code == 0
    restart = f"restart {GROUPS[process]}"
    assert [name for name in host.names(pending.DIRECTORY) if name.startswith("restart ")] == [restart]
    assert pending.is_pending(host, pending.CONVERGE)
    replace_library(server, process, is_replaced=False)
    before = len(server.machine.calls)
    assert server("converge").code == 0
    restarted = [call.argv for call in server.machine.calls[before:] if call.argv[:2] == ("systemctl", "restart")]
    assert restarted == [("systemctl", "restart", GROUPS[process])]
    assert not pending.is_pending(host, restart)
    assert "0 changed" in server("converge").out


def test_json_lists_the_jobs_that_failed(server: CommandLine) -> None:
    assert server("nightly", "--json").json == {"failed": []}
    server.machine.ckan.fault["dcor-prune-draft-datasets"] = "no"
    ended = server("nightly", "--json")
    assert (ended.code, ended.err) == (1, "")
    (failure,) = ended.json["failed"]
    assert (failure["job"], failure["hint"]) == ("dcor-prune-draft-datasets", "no")


@pytest.mark.parametrize("verb", ["nightly", "ckan", "dcor"])
def test_without_a_release_the_message_says_how_to_get_one(dcor_server: CommandLine, verb: str) -> None:
    ended = dcor_server(verb)
    assert ended.code == 1
    assert "There is no active release yet" in ended.err
    assert "dcor-server converge makes one" in ended.err


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("-c", "x", "user", "list"), ("user", "add", "NAME", "--", "-x"), ("--json",)]
)
@pytest.mark.parametrize("program", ["ckan", "dcor"])
def test_the_process_becomes_upstreams_command_with_all_its_arguments(
    server: CommandLine, replaced: list[list[str]], program: str, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(Replaced):
        server(program, *arguments)
    active = release.active(server.machine.host)
    assert replaced == [[f"{release.DIRECTORY}/{active}/bin/{program}", *arguments]]


def test_jobs_do_not_work_with_another_database_than_that_of_the_settings(server: CommandLine) -> None:
    path = server.machine.host.path(CKAN_INI)
    path.write_text(re.sub("(?m)^sqlalchemy.url = .*", "sqlalchemy.url = postgresql://other", path.read_text()))
    for verb in (("nightly",), ("unknown-objects", "--yes")):
        ended = server(*verb)
        assert (ended.code, "names another database than the settings" in ended.err) == (1, True)
    assert server.machine.ckan.commands == []


def test_a_mail_about_the_certificate_that_fails_is_reported(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise DcorError("The mail relay did not accept a mail.")

    monkeypatch.setattr(certificate_end, "report", refuse)
    ended = server("nightly")
    assert (ended.code, ended.out) == (1, "")
    assert "The nightly job `certificate` failed: The mail relay did not accept a mail." in ended.err
