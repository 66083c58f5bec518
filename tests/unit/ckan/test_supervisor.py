"""The supervisor of CKAN's unit is queried and controlled by XML-RPC; only programs of dcor-server are seen."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest

from dcor_pkg.ckan import supervisor
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Host


class Supervisor:
    """Supervisor's interface (supervisord.org, "XML-RPC API"), with the states that its programs go through."""

    def __init__(self, host: Host) -> None:
        self.socket = str(host.path("/run/dcor-ckan/supervisor.sock"))
        self.states = {"dcor-web-1": ["RUNNING"], "dcor-jobs-1": ["STOPPED"], "other": ["RUNNING"]}
        #: what its files have brought: added, changed, removed
        self.changes: Any = [[[], [], []]]
        self.calls: list[tuple[str, ...]] = []
        self.error: Exception | None = None

    def rpc(self, path: str, user: str, method: str, *arguments: Any) -> Any:
        """Stand for unix_http.rpc."""
        assert (path, user) == (self.socket, "www-data")
        if self.error is not None:
            raise self.error
        return getattr(self, method.removeprefix("supervisor."))(*arguments)

    def getAllProcessInfo(self) -> Any:  # noqa: N802 (supervisor's name)
        """Return all programs, each in its next state."""
        return [
            {"name": name, "statename": states.pop(0) if len(states) > 1 else states[0], "pid": 10 + number}
            for number, (name, states) in enumerate(self.states.items())
        ]

    def reloadConfig(self) -> Any:  # noqa: N802
        """Return what has changed."""
        return self.changes

    def addProcessGroup(self, name: str) -> None:  # noqa: N802
        """Record the call."""
        self.calls.append(("add", name))

    def removeProcessGroup(self, name: str) -> bool:  # noqa: N802 (supervisor's name)
        """Record the call; one that runs cannot be removed."""
        if self.states[name][0] in ("STARTING", "RUNNING", "BACKOFF"):
            raise xmlrpc.client.Fault(supervisor.STILL_RUNNING, "STILL_RUNNING")
        self.calls.append(("remove", name))
        del self.states[name]
        return True

    def startProcess(self, name: str, wait: bool) -> None:  # noqa: N802
        """Record the call."""
        assert not wait
        self.calls.append(("start", name))

    def stopProcess(self, name: str, wait: bool) -> None:  # noqa: N802
        """Record the call; it takes a while."""
        assert not wait
        self.calls.append(("stop", name))
        self.states[name] = ["STOPPING", "STOPPING", "STOPPED"]


@pytest.fixture
def server(host: Host, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """Return a running supervisor."""
    server = Supervisor(host)
    monkeypatch.setattr(unix_http, "rpc", server.rpc)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return server


def test_states_and_processes_are_those_of_our_programs(host: Host, server: Supervisor) -> None:
    assert supervisor.states(host) == {"dcor-web-1": "RUNNING", "dcor-jobs-1": "STOPPED"}
    assert supervisor.process(host, "dcor-jobs-1") == 11
    assert supervisor.process(host, "dcor-web-2") == 0


@pytest.mark.parametrize(("start", "is_known"), [(1_600_000_000, True), (10**400, False), ("1", False)])
def test_the_age_of_a_program_is_believed_if_it_can_be(
    host: Host, server: Supervisor, monkeypatch: pytest.MonkeyPatch, start: object, is_known: bool
) -> None:
    shown = [{"name": "dcor-jobs-1", "statename": "RUNNING", "pid": 11, "start": start}]
    monkeypatch.setattr(server, "getAllProcessInfo", lambda: shown)
    age = supervisor.age(host, "dcor-jobs-1")
    assert (age is not None and age >= 100) is is_known
    assert supervisor.age(host, "dcor-web-1") is None


@pytest.mark.parametrize("error", [DcorError("Nothing answers"), xmlrpc.client.Fault(6, "SHUTDOWN_STATE")])
def test_a_supervisor_that_does_not_answer_has_no_programs(host: Host, server: Supervisor, error: Exception) -> None:
    server.error = error
    assert supervisor.states(host) == {}


@pytest.mark.parametrize(
    "answer",
    [
        *(None, 7, "dcor-web-1", [7], ["dcor-web-1"], [{}], [{"name": "dcor-web-1"}]),
        [{"name": "dcor-web-1\x1b[2J", "statename": "RUNNING", "pid": 1}],
        [{"name": "dcor-web-1", "statename": "\x1b[2J", "pid": 1}],
        [{"name": "dcor-web-1", "statename": "RUNNING", "pid": "1"}],
        [{"name": ["dcor-web-1"], "statename": "RUNNING", "pid": 1}],
    ],
)
def test_an_answer_in_another_form_has_no_programs(
    host: Host, server: Supervisor, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setattr(server, "getAllProcessInfo", lambda: answer)
    assert supervisor.states(host) == {}


def test_a_thousand_programs_are_not_waited_for(host: Host, server: Supervisor) -> None:
    server.states = {f"dcor-web-{number}": ["RUNNING"] for number in range(1000)}
    assert len(supervisor.states(host)) == supervisor.MAX_PROGRAMS


def test_only_a_program_that_does_not_run_is_started(host: Host, server: Supervisor) -> None:
    for program in ("dcor-web-1", "dcor-jobs-1", "dcor-web-2"):
        supervisor.start(host, program)
    assert server.calls == [("start", "dcor-jobs-1")]


@pytest.mark.parametrize(
    ("call", "code"), [(supervisor.start, supervisor.ALREADY_STARTED), (supervisor.stop, supervisor.NOT_RUNNING)]
)
def test_what_has_happened_meanwhile_is_no_error(
    host: Host, server: Supervisor, monkeypatch: pytest.MonkeyPatch, call: Any, code: int
) -> None:
    """Supervisor starts a new program by itself a moment after it was added."""

    def fault(name: str, wait: bool) -> None:
        server.states[name] = ["STOPPED"]
        raise xmlrpc.client.Fault(code, "ALREADY")

    monkeypatch.setattr(server, "startProcess", fault)
    monkeypatch.setattr(server, "stopProcess", fault)
    call(host, "dcor-jobs-1")
    call(host, "dcor-web-1")


def test_a_program_is_stopped_and_awaited(host: Host, server: Supervisor) -> None:
    for program in ("dcor-web-1", "dcor-jobs-1", "dcor-web-2"):
        supervisor.stop(host, program)
    assert server.calls == [("stop", "dcor-web-1")]
    assert supervisor.states(host)["dcor-web-1"] == "STOPPED"


@pytest.mark.parametrize("states", [["BACKOFF", "STARTING"], ["EXITED", "STARTING", "RUNNING"], ["EXITED", "BACKOFF"]])
def test_a_program_that_ends_by_itself_and_is_started_again_is_stopped_and_forgotten(
    host: Host, server: Supervisor, states: list[str]
) -> None:
    """Supervisor may start it again at any moment until it was stopped, also right before it should be forgotten."""
    server.states["dcor-web-1"] = states
    server.changes = [[[], [], ["dcor-web-1"]]]
    supervisor.update(host)
    assert server.calls == [("stop", "dcor-web-1"), ("remove", "dcor-web-1")]


def test_one_who_says_for_ever_that_a_program_still_runs_is_not_asked_for_ever(
    host: Host, server: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a program of CKAN's user that answers in supervisor's place."""
    answers = iter([xmlrpc.client.Fault(supervisor.STILL_RUNNING, "STILL_RUNNING")] * 5)

    def refuse(name: str) -> None:
        raise next(answers)

    monkeypatch.setattr(server, "removeProcessGroup", refuse)
    server.changes = [[[], [], ["dcor-jobs-1"]]]
    with pytest.raises(DcorError, match="with 'STILL_RUNNING'"):
        supervisor.update(host)


def test_a_program_that_does_not_stop_is_named(host: Host, server: Supervisor) -> None:
    with pytest.raises(DcorError, match="The program dcor-web-1 did not stop within 0 s") as raised:
        supervisor.stop(host, "dcor-web-1", timeout=0)
    assert raised.value.hint == "supervisorctl -c /usr/share/dcor-server/files/supervisord.conf status dcor-web-1"


def test_changed_files_are_taken_over(host: Host, server: Supervisor) -> None:
    server.changes = [[["dcor-web-2"], ["dcor-jobs-1"], ["dcor-web-1"]]]
    supervisor.update(host)
    assert server.calls == [
        ("stop", "dcor-web-1"),
        ("remove", "dcor-web-1"),
        ("remove", "dcor-jobs-1"),
        ("add", "dcor-web-2"),
        ("add", "dcor-jobs-1"),
    ]


@pytest.mark.parametrize(
    "answer", [None, 7, [], [[]], [[[], []]], [[7, 7, 7]], [[["other"], [], []]], [["a", "b", "c"]]]
)
def test_changes_in_another_form_are_an_error(host: Host, server: Supervisor, answer: object) -> None:
    server.changes = answer
    with pytest.raises(DcorError, match="does not say which programs have changed") as raised:
        supervisor.update(host)
    assert raised.value.hint.startswith("See: journalctl --unit=dcor-ckan.service.")
    assert server.calls == []


def test_a_fault_is_an_error_with_its_words(host: Host, server: Supervisor) -> None:
    server.error = xmlrpc.client.Fault(92, "CANT_REREAD: \x1b[2J" + "x" * 1000)
    with pytest.raises(DcorError, match=r"reloadConfig\(\) with 'CANT_REREAD: \\x1b\[2Jxx") as raised:
        supervisor.update(host)
    assert len(raised.value.reason) < 400
