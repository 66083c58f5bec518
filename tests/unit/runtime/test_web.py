"""The sockets of the web server outlive it: requests wait until it was started again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Runtime

RUNTIME = Path(__file__).resolve().parents[3] / "dcor_pkg" / "runtime"
#: stands for uWSGI: loads for a while, tells that it has, and answers with its number on the socket that it inherits
SERVER = """
import os, signal, socket, sys, time
from dcor_runtime import web
if os.path.exists("broken"):
    sys.exit(7)
if os.path.exists("slow"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)
time.sleep(0.5)
web.loaded()
listener = socket.socket(fileno=int(os.environ["WEB_SOCKET"]))
while True:
    connection = listener.accept()[0]
    connection.sendall(str(os.getpid()).encode())
    connection.close()
"""


def ask(directory: Path) -> int:
    """Return the number of the process that answers; the connection waits until one does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(directory / "web.sock"))
        return int(connection.recv(100))


@contextlib.contextmanager
def started(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start it, wait for its sockets, and let it end afterwards."""
    (directory / "server.py").write_text(SERVER)
    if not (directory / "dcor_runtime").exists():
        (directory / "dcor_runtime").symlink_to(RUNTIME)
    sockets = [directory / name for name in ("web.sock", "probe.sock")]
    former = number(sockets[1])
    argv = [sys.executable, "-m", "dcor_runtime.web", *map(str, sockets), sys.executable, "server.py"]
    process = subprocess.Popen(argv, cwd=directory)
    try:
        until(lambda: number(sockets[1]) not in (0, former) or process.poll() is not None)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def number(path: Path) -> int:
    """Return which file a path leads to, or 0."""
    return path.stat().st_ino if path.exists() else 0


@pytest.fixture
def web(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Return the process that holds the sockets."""
    with started(tmp_path) as process:
        yield process


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def until_ended(process: int) -> None:
    until(lambda: not is_running(process))


def test_requests_wait_for_the_first_start_and_while_a_killed_server_is_started_again(
    web: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    killed = [ask(tmp_path)]
    for _ in range(2):
        os.kill(killed[-1], signal.SIGKILL)
        until_ended(killed[-1])
        killed.append(ask(tmp_path))
    assert len(set(killed)) == 3
    assert web.poll() is None


def test_its_sockets_are_for_its_user_and_group(web: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("web.sock", "probe.sock")} == {0o660}


def test_term_ends_the_server_and_removes_the_sockets(web: subprocess.Popen[bytes], tmp_path: Path) -> None:
    server = ask(tmp_path)
    web.send_signal(signal.SIGTERM)
    assert web.wait(20) == 0
    assert not is_running(server)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dcor_runtime", "server.py"]


def test_term_does_not_wait_for_a_server_that_loads(tmp_path: Path) -> None:
    (tmp_path / "slow").touch()
    with started(tmp_path) as process:
        time.sleep(0.3)
        process.terminate()
        assert process.wait(20) == 0


def test_a_server_that_loads_is_killed_with_who_holds_the_sockets(tmp_path: Path) -> None:
    (tmp_path / "slow").touch()
    with started(tmp_path) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        until(lambda: children.read_text() != "")
        (server,) = children.read_text().split()
        process.kill()  # in whatever moment after the fork
        process.wait(20)
        until_ended(int(server))


def test_a_server_that_ends_while_it_loads_ends_it_as_well(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with started(tmp_path) as process:
        assert process.wait(20) == 7


def test_a_server_that_was_started_again_and_ends_while_it_loads_ends_it_as_well(
    web: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    server = ask(tmp_path)
    (tmp_path / "broken").touch()
    os.kill(server, signal.SIGKILL)
    assert web.wait(20) == 7


def test_the_server_ends_when_who_holds_the_sockets_is_killed_and_the_next_one_replaces_them(
    web: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    server = ask(tmp_path)
    web.kill()
    web.wait(20)
    until_ended(server)
    with started(tmp_path) as process:
        assert ask(tmp_path) != server
        assert process.poll() is None


def test_uwsgi_takes_the_sockets_over_by_the_names_of_their_holder(runtime: Runtime) -> None:
    uwsgi = (RUNTIME.parent / "ckan/templates/uwsgi.ini").read_text()
    assert f"\nsocket = fd://$({runtime.web.SOCKET})\n" in uwsgi
    assert f"\nhttp-socket = fd://$({runtime.web.PROBE})\n" in uwsgi
