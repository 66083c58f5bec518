"""A reload of nginx is complete when its former workers accept no more requests; and its ports are its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import additions, example_site, service, site, workers
from dcor_pkg.nginx.service import UNIT, NginxService
from dcor_pkg.nginx.steps import steps
from dcor_pkg.nginx.take_down import take_down
from tests.unit.nginx.backends import until
from tests.unit.nginx.nginx_server import facts

MASTER = "100"
PLAIN = Access(0o644)
#: titles of processes, as in /proc/PID/cmdline of nginx 1.22
SERVING, SHUTTING_DOWN = "nginx: worker process", "nginx: worker process is shutting down"


class Systemd:
    """Stands for systemctl and nginx: a reload starts new workers and, unless nginx is busy, ends the old ones."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.calls: list[tuple[str, ...]] = []
        self.busy = False
        self._start("101", "102")

    def run(self, program: str, verb: str, *rest: str, **_: Any) -> str:
        assert program == "systemctl"
        if verb == "show":
            return "ActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\nJob=\n"
        self.calls.append((verb, *rest))
        if verb in ("reload", "reload-or-restart") and not self.busy:
            self.host.write("/proc/101/cmdline", SHUTTING_DOWN, PLAIN)
            self.host.remove("/proc/102/cmdline")
            self._start("103")
        return ""

    def _start(self, *processes: str) -> None:
        self.host.write("/run/nginx.pid", f"{MASTER}\n", PLAIN)
        self.host.write(f"/proc/{MASTER}/task/{MASTER}/children", " ".join(processes) + " ", PLAIN)
        for process in processes:
            self.host.write(f"/proc/{process}/cmdline", SERVING, PLAIN)


@pytest.fixture
def systemd(host: Host, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """Return a systemd that runs nginx with two workers."""
    programs = Systemd(host)
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: programs.run(*argv, **options))
    monkeypatch.setattr(workers, "TIMEOUT_SECONDS", 0.3)
    return programs


def test_a_pending_reload_is_done_and_its_former_workers_are_awaited(
    host: Host, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    awaited: list[list[str]] = []
    monkeypatch.setattr(workers, "await_new", lambda _, former: awaited.append(former))
    pending.request(host, pending.RELOAD_NGINX)
    (outcome,) = run([NginxService(UNIT)], host)
    assert (outcome.result, ("reload-or-restart", UNIT) in systemd.calls) == (Result.CHANGED, True)
    assert awaited == [["101", "102"]]
    assert workers.current(host) == ["103"]
    assert [outcome.result for outcome in run([NginxService(UNIT)], host)] == [Result.UNCHANGED]


def test_a_start_that_replaces_no_worker_waits_for_none(
    host: Host, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    awaited: list[list[str]] = []
    monkeypatch.setattr(workers, "await_new", lambda _, former: awaited.append(former))
    NginxService(UNIT).apply(host)
    assert (("start", UNIT) in systemd.calls, awaited) == (True, [[]])


def test_without_nginx_there_are_no_workers(host: Host) -> None:
    assert workers.current(host) == []
    workers.await_new(host, [])


def test_workers_that_shut_down_or_have_ended_are_not_waited_for(
    host: Host, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "TIMEOUT_SECONDS", 60.0)
    systemd.run("systemctl", "reload", UNIT)
    begin = time.monotonic()
    workers.await_new(host, ["101", "102"])
    assert time.monotonic() - begin < 30


def test_a_worker_that_still_accepts_requests_is_waited_for(
    host: Host, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "TIMEOUT_SECONDS", 60.0)
    waiting = threading.Thread(target=workers.await_new, args=(host, ["101", "102"]), daemon=True)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    systemd.run("systemctl", "reload", UNIT)
    until(lambda: not waiting.is_alive())


def test_a_busy_nginx_is_not_waited_for_without_end(host: Host, systemd: Systemd) -> None:
    systemd.busy = True
    pending.request(host, pending.RELOAD_NGINX)
    (outcome,) = run([NginxService(UNIT)], host)
    assert (outcome.result, workers.current(host)) == (Result.CHANGED, ["101", "102"])


def test_the_end_of_workers_is_awaited(host: Host, systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "TIMEOUT_SECONDS", 60.0)
    waiting = threading.Thread(target=workers.await_end, args=(host, ["101"]), daemon=True)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    host.remove("/proc/101/cmdline")
    host.path("/proc/101").rmdir()
    until(lambda: not waiting.is_alive())


@pytest.mark.parametrize("runs", [True, False])
def test_taking_the_site_down_reloads_an_nginx_that_runs(host: Host, systemd: Systemd, runs: bool) -> None:
    host.write(site.SITE, "server {}\n", PLAIN)
    host.link(site.ENABLED, site.SITE)
    service.DROP_IN.apply(host)
    if not runs:
        host.remove("/run/nginx.pid")
    take_down(host)
    assert (host.exists(site.ENABLED), host.exists(site.SITE)) == (False, True)
    assert (("reload", UNIT) in systemd.calls) is runs
    assert (host.exists(service.DROP_IN.path), ("daemon-reload",) in systemd.calls) == (False, True)


def test_an_example_that_was_removed_is_not_enabled_again(host: Host) -> None:
    host.write(example_site.PATH, "server {}\n", PLAIN)
    host.link(example_site.ENABLED, example_site.PATH)
    example_site.disable(host)
    host.remove(example_site.PATH)
    example_site.restore(host)
    assert not host.exists(example_site.ENABLED)
    assert not host.exists(example_site.WAS_ENABLED)


def test_the_steps_are_what_the_site_refers_to_the_site_the_service_and_its_answer() -> None:
    names = [step.name for step in steps(Settings(), facts((1, 22, 1)))]
    directories = [f"directory {path}" for path in (additions.DIRECTORY, additions.COPIES)]
    assert names == [
        *directories,
        "error pages",
        "trust page",
        "nginx site",
        f"file {service.DROP_IN.path}",
        f"service {UNIT}",
        "answer by https",
    ]


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_of_another_program_is_found_before_anything_changes(
    host: Host, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.PORTS == {80: ("nginx",), 443: ("nginx",)}
    monkeypatch.setattr(service, "PORTS", {port: ("nginx",)})
    with pytest.raises(DcorError, match=f"Port {port} is held by"):
        service.check_ports(host, Proposal(None, Settings(), {}))
