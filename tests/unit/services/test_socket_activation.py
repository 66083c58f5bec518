"""Socket activation of the object store: its units are made once, and removed as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine.host import Host
from dcor_pkg.services.object_store.socket_activation import FILES, SOCKETS, NoSocketActivation, SocketActivation

#: what `systemctl show` says of a socket unit before and after it is started (systemd 252)
OFF = "ActiveState=inactive\nUnitFileState=disabled\nNeedDaemonReload=no\n"
ON = "ActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n"


class Systemd:
    """Stands for systemctl: knows which units were started, and what it was told."""

    def __init__(self) -> None:
        self.started: set[str] = set()
        self.told: list[tuple[str, ...]] = []

    def run(self, program: str, *argv: str, **_: Any) -> str:
        assert program == "systemctl"
        if argv[0] == "show":
            return ON if argv[-1] in self.started else OFF
        self.told.append(argv)
        if argv[0] == "start":
            self.started.add(argv[-1])
        return ""


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """Return the systemd of a machine on which nothing was started."""
    systemd = Systemd()
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: systemd.run(*argv, **options))
    return systemd


def test_it_is_made_once(host: Host, systemd: Systemd) -> None:
    (outcome,) = run([SocketActivation()], host)
    assert outcome.result is Result.CHANGED
    assert systemd.started == {socket.unit for socket in SOCKETS}
    assert run([SocketActivation()], host) == [Outcome(SocketActivation().name, Result.UNCHANGED)]


def test_the_stores_own_unit_is_read_again(host: Host, systemd: Systemd) -> None:
    """Its drop-in comes from here, and a unit that waits to be read again is drift of another step."""
    run([SocketActivation()], host)
    assert systemd.told[0] == ("daemon-reload",)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path)
def test_a_lost_file_is_made_again(host: Host, systemd: Systemd, file: Any) -> None:
    run([SocketActivation()], host)
    host.remove(file.path)
    (outcome,) = run([SocketActivation()], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"{file.path} is missing")
    assert host.exists(file.path)


def test_a_socket_that_does_not_listen_is_started(host: Host, systemd: Systemd) -> None:
    run([SocketActivation()], host)
    systemd.started.discard("dcor-store-door@s3.socket")
    (outcome,) = run([SocketActivation()], host)
    assert outcome.reason == "dcor-store-door@s3.socket is inactive"
    assert "dcor-store-door@s3.socket" in systemd.started


def test_nothing_of_it_is_left_where_the_store_is_external(host: Host, systemd: Systemd) -> None:
    run([SocketActivation()], host)
    (outcome,) = run([NoSocketActivation()], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"{FILES[0].path} exists, and the store is external")
    assert [file.path for file in FILES if host.exists(file.path)] == []
    assert ("disable", "--now", "--quiet", *(socket.unit for socket in SOCKETS)) in systemd.told
    assert run([NoSocketActivation()], host) == [Outcome(NoSocketActivation().name, Result.UNCHANGED)]
