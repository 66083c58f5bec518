"""A port that another program listens on is found, with the name of that program."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator

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


@pytest.fixture
def copy(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Let psutil name a program that has inherited this process's listener, as systemd's children do for a moment."""
    with subprocess.Popen(["sleep", "60"]) as child:
        found = [each._replace(pid=child.pid) for each in psutil.net_connections("tcp")]
        monkeypatch.setattr(psutil, "net_connections", lambda kind: found)
        yield port
        child.kill()


def test_a_child_of_systemd_with_a_copy_of_its_listener_does_not_take_the_port(
    copy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "FIRST_PROCESS", os.getpid())
    ports.require_free({copy: (ports.SYSTEMD, "java")})
    with pytest.raises(DcorError, match=f"Port {copy} is held by sleep"):
        ports.require_free({copy: ("nginx",)})


def test_a_listener_that_systemd_does_not_have_is_not_systemds(copy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    without_listener = psutil.net_connections("tcp")[0].pid
    monkeypatch.setattr(ports, "FIRST_PROCESS", without_listener)
    with pytest.raises(DcorError, match=f"Port {copy} is held by sleep"):
        ports.require_free({copy: (ports.SYSTEMD, "java")})
