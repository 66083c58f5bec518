"""Programs of CKAN that run outside of their unit are noticed and ended, and no other process is."""

from __future__ import annotations

import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dcor_pkg.ckan import processes, strays
from dcor_pkg.ckan.strays import NoStrays
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER
from dcor_pkg.verbs.take_down import take_down
from tests.unit.command_line import CommandLine

CONFIGURED = "CKAN_INI=/var/lib/dcor-server/configurations/a.b/ckan.ini"
OURS = f"PROGRAMS=a.b\0{CONFIGURED}"
INSIDE, OUTSIDE = "0::/system.slice/dcor-ckan.service\n", "0::/system.slice/supervisor.service\n"
IGNORES_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"


def add(
    host: Host, process: int, group: str = OUTSIDE, environment: str = f"LANG=C\0{OURS}\0", user: str = CKAN_USER
) -> None:
    """Let the machine run a process."""
    number = pwd.getpwnam(user).pw_uid
    host.write(f"/proc/{process}/status", f"Name:\tuwsgi\nUid:\t{number}\t{number}\t0\t0\n", Access(0o444))
    host.write(f"/proc/{process}/cgroup", group, Access(0o444))
    host.write(f"/proc/{process}/environ", environment, Access(0o400))


@pytest.fixture
def child(host: Host) -> Iterator[subprocess.Popen[str]]:
    """Return a process that runs outside of the unit, and ignores SIGTERM."""
    with subprocess.Popen([sys.executable, "-c", IGNORES_TERM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        add(host, process.pid)
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("group", "environment"),
    [
        (INSIDE, f"{OURS}\0"),
        (OUTSIDE, "CKAN_INI=/etc/ckan/default/ckan.ini\0"),
        (OUTSIDE, f"PROGRAMS=a.b\0OTHER={CONFIGURED}\0"),
        (OUTSIDE, f"{CONFIGURED}\0"),  # the watch, and a release that is asked for its migrations
        (OUTSIDE, ""),
    ],
)
def test_other_processes_are_none(host: Host, group: str, environment: str) -> None:
    add(host, 4711, group, environment)
    host.write("/proc/self/environ", f"{OURS}\0", Access(0o400))
    assert NoStrays().check(host) is None


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_the_process_of_another_user_is_none(host: Host, user: str) -> None:
    """Anybody can have such an environment; root's shell must not be killed for it."""
    add(host, 4711, user=user)
    assert NoStrays().check(host) is None


def test_a_process_that_has_just_ended_is_none(host: Host) -> None:
    host.make_directory("/proc/4711", Access(0o555))
    assert NoStrays().check(host) is None


def test_a_process_that_ends_while_it_is_looked_at_is_none(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server's worker that ended at that moment was taken for one outside of the unit."""
    add(host, 4711, INSIDE)
    read = processes.read

    def read_and_end(of: Host, process: int, name: str) -> bytes:
        found = read(of, process, name)
        if name == "environ":
            of.remove(f"/proc/{process}/cgroup")
        return found

    monkeypatch.setattr(processes, "read", read_and_end)
    assert NoStrays().check(host) is None
    assert not host.exists("/proc/4711/cgroup")


def test_one_is_named_by_check_and_status(dcor_server: CommandLine) -> None:
    host = dcor_server.converged().machine.host
    add(host, 4711)
    assert NoStrays().check(host) == "process 4711 runs CKAN outside of dcor-ckan.service"
    parts = {part["name"]: part["problem"] for part in dcor_server("status", "--json").json["parts"]}
    assert parts["programs"] == "process 4711 runs CKAN outside of dcor-ckan.service"


def test_one_that_does_not_end_is_killed(
    host: Host, child: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "TIMEOUT_SECONDS", 0.2)
    sent: list[int] = []
    send = signal.pidfd_send_signal

    def record(descriptor: int, number: int) -> None:
        sent.append(number)
        send(descriptor, number)

    monkeypatch.setattr(signal, "pidfd_send_signal", record)
    NoStrays().apply(host)
    assert child.wait(timeout=10) == -signal.SIGKILL
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_a_removal_ends_them(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    host = dcor_server.converged().machine.host
    ended: list[Host] = []
    monkeypatch.setattr(NoStrays, "apply", lambda _, host: ended.append(host))
    add(host, 4711)
    take_down(host, lambda *problem: pytest.fail(str(problem)))
    assert ended == [host]
