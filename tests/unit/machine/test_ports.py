"""A port that another program listens on is found, with the name of that program."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import ports

PROGRAM = psutil.Process().name()


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_of_another_program_is_an_error_that_names_it(port: int) -> None:
    with pytest.raises(DcorError, match=rf"Port {port} is held by {PROGRAM} \(process {os.getpid()}\)\.") as error:
        ports.require_free({port: ("nginx",)})
    assert error.value.hint


def test_a_port_of_the_expected_program_is_free_for_it(port: int) -> None:
    ports.require_free({port: (PROGRAM, ports.SYSTEMD)})


def test_other_ports_and_connections_to_a_port_do_not_matter(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        ports.require_free({client.getsockname()[1]: ("nginx",)})


@pytest.mark.parametrize("process", [None, 4194305], ids=["unknown", "ended"])
def test_a_listener_without_a_known_program_is_accepted(
    port: int, process: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4194304 is the largest process id of Linux (proc(5), pid_max)."""
    found = [each._replace(pid=process) for each in psutil.net_connections("tcp")]
    monkeypatch.setattr(psutil, "net_connections", lambda kind: found)
    ports.require_free({port: ("nginx",)})


@pytest.mark.parametrize(
    ("name", "parent", "user", "free"),
    [("(sd-executor)", 1, 0, True), ("(sd-executor)", 1, 1000, False), ("(sd-executor)", 2, 0, False)],
    ids=["of systemd", "of a user who takes its name", "of another program"],
)
def test_a_child_of_systemd_that_is_not_yet_its_service_counts_as_systemd(
    port: int, name: str, parent: int, user: int, free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil.Process, "name", lambda _: name)
    monkeypatch.setattr(psutil.Process, "ppid", lambda _: parent)
    monkeypatch.setattr(psutil.Process, "uids", lambda _: SimpleNamespace(real=user))
    with contextlib.nullcontext() if free else pytest.raises(DcorError, match=r"is held by \(sd-executor\)"):
        ports.require_free({port: (ports.SYSTEMD,)})


@pytest.mark.parametrize("process", [1, os.getpid()], ids=["systemd", "service"])
def test_a_port_that_systemd_and_its_service_share_is_free_for_both(
    port: int, process: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psutil names one of the processes that have a listener, whichever it has seen last."""
    found = [each._replace(pid=process) for each in psutil.net_connections("tcp")]
    monkeypatch.setattr(psutil, "net_connections", lambda kind: found)
    ports.require_free({port: (ports.SYSTEMD, PROGRAM)})
    with pytest.raises(DcorError, match=f"Port {port} is held by"):
        ports.require_free({port: ("nginx",)})
