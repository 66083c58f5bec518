"""A client that sends or reads drop by drop occupies no worker of CKAN, and is disconnected in the end."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.machine.host import Host
from tests.unit.nginx.backends import until
from tests.unit.nginx.nginx_server import NAME, NginxServer, opened
from tests.unit.nginx.stored import OBJECT, SIGNED

FORM = f"POST /user/login HTTP/1.1\r\nHost: {NAME}\r\nCookie: dcor=session\r\nContent-Length: 20000000\r\n\r\n"
UPLOAD = f"PUT {OBJECT}?{SIGNED} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 20000000\r\n\r\n"


def impatient(site: str) -> str:
    """Return a site whose timeouts of 20 and 30 seconds are half a second."""
    return re.sub(r"(client_(?:header|body)_timeout|send_timeout) [23]0s;", r"\1 500ms;", site)


@pytest.fixture(scope="module")
def patient_no_longer() -> Iterator[NginxServer]:
    """Return an nginx with timeouts of half a second."""
    with TemporaryDirectory(prefix="nginx") as directory, opened(Host(Path(directory)), impatient) as server:
        yield server


def is_disconnected(connection: socket.socket, drop: bytes = b"", seconds: float = 4.0) -> bool:
    """Return whether nginx disconnects within some seconds, in which a drop is sent each 0.2 seconds."""
    deadline = time.monotonic() + seconds
    connection.settimeout(0.2)
    while time.monotonic() < deadline:
        try:
            connection.sendall(drop)
            if connection.recv(4096) == b"":
                return True
        except (TimeoutError, ssl.SSLWantReadError):
            continue
        except (ConnectionError, ssl.SSLError):
            return True
    return False


def test_a_body_that_drips_does_not_reach_ckan(server: NginxServer) -> None:
    with server.connect() as connection:
        connection.sendall(FORM.encode() + b"x" * 100_000)
        time.sleep(0.3)  # time in which a request that is not buffered would reach CKAN
        assert server.ckan.begun == 0


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("host", [NAME, "other.example.org"])
def test_a_header_that_drips_is_not_waited_for(patient_no_longer: NginxServer, tls: bool, host: str) -> None:
    server = patient_no_longer
    plain = socket.create_connection(("127.0.0.1", server.plain), 5)
    with server.connect() if tls else plain as connection, plain:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nA: ".encode())
        assert is_disconnected(connection, b"a")


def test_a_body_that_stops_is_not_waited_for(patient_no_longer: NginxServer) -> None:
    with patient_no_longer.connect() as connection:
        connection.sendall(FORM.encode() + b"x" * 100_000)
        assert is_disconnected(connection)
    assert patient_no_longer.ckan.begun == 0


def test_an_upload_to_the_store_may_stop_for_a_while(patient_no_longer: NginxServer) -> None:
    with patient_no_longer.connect() as connection:
        connection.sendall(UPLOAD.encode() + b"x" * 100_000)
        assert not is_disconnected(connection, seconds=1.5)


def test_a_page_that_nobody_reads_does_not_keep_its_connection(patient_no_longer: NginxServer) -> None:
    server = patient_no_longer
    server.ckan.respond = lambda request: ("200 OK", {}, b"x" * 30_000_000)
    with server.connect() as connection:
        connection.sendall(f"GET /user/me HTTP/1.1\r\nHost: {NAME}\r\nCookie: dcor=session\r\n\r\n".encode())
        until(lambda: "GET /user/me" in server.ckan.done)
        time.sleep(1.5)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            _read_all(connection, 30_000_000)


def _read_all(connection: ssl.SSLSocket, size: int) -> None:
    while size > 0:
        part = connection.recv(1 << 20)
        if not part:
            raise ConnectionError("The connection was closed.")
        size -= len(part)
