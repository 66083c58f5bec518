"""A release that fails for the same cause is tried once a day; meanwhile all else is done for the one that serves."""

from __future__ import annotations

import time

import pytest

from dcor_pkg.ckan import held_release, programs, switch, upgrade_backup
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine.unix_http import Answer
from tests.unit.command_line import CommandLine

HOUR = 3600.0


@pytest.fixture
def server(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a server for which there is a new release whose pages fail."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(upgrade_backup, "FRESH_SECONDS", 100 * HOUR)  # a file has the time of this computer
    server = dcor_server.converged()
    server.machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    fail(server)
    return server


def fail(server: CommandLine, page: str = "/about", status: int = 500) -> None:
    server.machine.ckan.answers[page] = Answer(status, "")


def serving(server: CommandLine) -> str:
    found = programs.serving(server.machine.host)
    assert found is not None
    return found.release


def codes(server: CommandLine, number: int) -> list[int]:
    """Return the exit codes of so many hourly converges."""
    return [server("converge").code for _ in range(number)]


def later(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + hours * HOUR)


def test_what_fails_twice_for_the_same_cause_waits_and_all_else_is_done(server: CommandLine) -> None:
    host = server.machine.host
    assert codes(server, 2) == [1, 1]
    pending.request(host, pending.RELOAD_NGINX)
    assert codes(server, 2) == [0, 0]
    assert not pending.is_pending(host, pending.RELOAD_NGINX)
    assert not pending.is_pending(host, pending.CONVERGE)
    assert serving(server).startswith("2.11.6-")
    ended = server("status", "--json")
    (part,) = (it for it in ended.json["parts"] if it["name"] == "release")
    assert (ended.code, part["problem"][:12]) == (3, "runs 2.11.6-")
    assert ", wanted 2.11.7-" in part["problem"]
    assert "because active release: The release 2.11.7-" in part["problem"]
    assert "answers /about with status 500" in part["problem"]
    assert "The same one is tried again after 20" in server("status").out


def test_it_is_tried_again_once_a_day(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    codes(server, 3)
    later(monkeypatch, 23)
    assert codes(server, 1) == [0]
    later(monkeypatch, 2)
    assert codes(server, 3) == [1, 0, 0]
    later(monkeypatch, 25)
    server.machine.ckan.answers.clear()
    assert codes(server, 1) == [0]
    assert serving(server).startswith("2.11.7-")
    assert held_release.read(server.machine.host) is None
    assert server("status").code == 0


def test_an_administrator_or_another_release_does_not_wait(server: CommandLine) -> None:
    codes(server, 3)
    server.machine.ckan.answers.clear()
    assert server("converge", "--retry-release").code == 0
    assert serving(server).startswith("2.11.7-")
    server.machine.packages.versions["python-ckan"] = "2.11.8-1~deb12u1"
    fail(server)
    codes(server, 3)
    server.machine.packages.versions["python-ckan"] = "2.11.9-1~deb12u1"
    server.machine.ckan.answers.clear()
    assert codes(server, 1) == [0]
    assert serving(server).startswith("2.11.9-")


def test_another_cause_is_tried_each_hour(server: CommandLine) -> None:
    for number in range(4):
        fail(server, status=500 + number)
        assert codes(server, 1) == [1]


def test_a_release_that_cannot_be_made_waits_as_well(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = ReleaseMade.apply

    def refuse(step: ReleaseMade, host: object) -> None:
        if step.release.startswith("2.11.7-"):
            raise DcorError(f"The wheel is corrupt (0x{time.monotonic_ns():x}, {time.strftime('%H:%M:%S')}).")
        apply(step, host)  # type: ignore[arg-type]

    monkeypatch.setattr(ReleaseMade, "apply", refuse)
    assert codes(server, 3) == [1, 1, 0]
    assert serving(server).startswith("2.11.6-")


def test_what_fails_on_the_release_that_serves_is_tried_each_hour(server: CommandLine) -> None:
    server.machine.packages.versions["python-ckan"] = "2.11.6-1~deb12u1"
    assert server("set", "site-title=Mine").code == 1
    assert codes(server, 2) == [1, 1]
    assert held_release.read(server.machine.host) is None
