"""Supervisor is queried and controlled by XML-RPC; only programs of dcor-server are seen."""

from __future__ import annotations

import xmlrpc.client
from types import SimpleNamespace

import pytest

from dcor_pkg.ckan import supervisor
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Host


class Supervisor:
    """Supervisor's interface (supervisord.org, "XML-RPC API"), with the states that its programs go through."""

    def __init__(self) -> None:
        self.states = {"dcor-web-1": ["RUNNING"], "dcor-jobs-1": ["STOPPED"], "other": ["RUNNING"]}
        self.calls: list[tuple[str, str, bool]] = []
        self.error: Exception | None = None

    def getAllProcessInfo(self) -> list[dict[str, object]]:  # noqa: N802 (supervisor's name)
        """Return all programs, each in its next state."""
        if self.error is not None:
            raise self.error
        return [
            {"name": name, "statename": states.pop(0) if len(states) > 1 else states[0], "pid": 10 + number}
            for number, (name, states) in enumerate(self.states.items())
        ]

    def startProcess(self, name: str, wait: bool) -> None:  # noqa: N802
        """Record the call."""
        self.calls.append(("start", name, wait))

    def stopProcess(self, name: str, wait: bool) -> None:  # noqa: N802
        """Record the call; it takes a while."""
        self.calls.append(("stop", name, wait))
        self.states[name] = ["STOPPING", "STOPPING", "STOPPED"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """Return a running supervisor."""
    server = Supervisor()
    monkeypatch.setattr(unix_http, "rpc", lambda socket: SimpleNamespace(supervisor=server))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return server


def test_states_and_processes_are_those_of_our_programs(host: Host, server: Supervisor) -> None:
    assert supervisor.states(host) == {"dcor-web-1": "RUNNING", "dcor-jobs-1": "STOPPED"}
    assert supervisor.process(host, "dcor-jobs-1") == 11
    assert supervisor.process(host, "dcor-web-2") == 0


@pytest.mark.parametrize("error", [ConnectionRefusedError(), xmlrpc.client.Fault(6, "SHUTDOWN_STATE")])
def test_a_supervisor_that_does_not_answer_has_no_programs(host: Host, server: Supervisor, error: Exception) -> None:
    server.error = error
    assert supervisor.states(host) == {}


def test_only_a_program_that_does_not_run_is_started(host: Host, server: Supervisor) -> None:
    for program in ("dcor-web-1", "dcor-jobs-1", "dcor-web-2"):
        supervisor.start(host, program)
    assert server.calls == [("start", "dcor-jobs-1", False)]


def test_a_program_is_stopped_and_awaited(host: Host, server: Supervisor) -> None:
    for program in ("dcor-web-1", "dcor-jobs-1", "dcor-web-2"):
        supervisor.stop(host, program)
    assert server.calls == [("stop", "dcor-web-1", False)]
    assert supervisor.states(host)["dcor-web-1"] == "STOPPED"


def test_a_program_that_does_not_stop_is_named(host: Host, server: Supervisor) -> None:
    with pytest.raises(DcorError, match="The program dcor-web-1 did not stop within 0 s") as raised:
        supervisor.stop(host, "dcor-web-1", timeout=0)
    assert raised.value.hint == "supervisorctl status dcor-web-1"


def test_changed_files_are_taken_over_by_supervisorctl(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(Host, "run", lambda _, *argv, timeout: calls.append(argv))
    supervisor.update(host)
    assert calls == [("supervisorctl", "update")]
