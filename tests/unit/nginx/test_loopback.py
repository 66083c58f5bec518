"""The site is reached as its users reach it, and only with a certificate that this machine trusts."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import loopback
from dcor_pkg.tls.self_signed import PAIR, SelfSignedCertificate


class Page(BaseHTTPRequestHandler):
    """Answers each request with 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a page")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


@pytest.fixture
def tls_server(host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a connection reach a server with a certificate for dcor.example.org that this machine trusts."""
    SelfSignedCertificate("dcor.example.org").apply(host)
    server = HTTPServer(("127.0.0.1", 0), Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(host.path(PAIR.certificate), host.path(PAIR.key))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setattr(loopback, "BUNDLE", str(host.path(PAIR.certificate)))
    monkeypatch.setattr(loopback.Connection, "default_port", server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("tls_server")
def test_the_site_is_reached_on_loopback_and_its_certificate_verified() -> None:
    connection = loopback.Connection("dcor.example.org")
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"a page"
    with pytest.raises(ssl.SSLCertVerificationError):
        loopback.Connection("other.example.org").connect()


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let certificates be made tomorrow, so that the clock seems to show a moment before the program was packaged."""
    tomorrow = clock.now() + datetime.timedelta(days=1)
    monkeypatch.setattr(clock, "PACKAGED", tomorrow)
    monkeypatch.setattr("dcor_pkg.tls.self_signed.BACKDATED", -datetime.timedelta(days=1))


@pytest.mark.usefixtures("slow_clock", "tls_server")
def test_while_the_clock_is_wrong_it_is_named_and_not_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match=r"the clock of this machine is wrong\. See: timedatectl"):
        loopback.Connection("dcor.example.org").connect()
    monkeypatch.setattr(clock, "PACKAGED", clock.now())
    with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
        loopback.Connection("dcor.example.org").connect()


def test_a_site_that_nobody_serves_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(loopback.Connection, "default_port", unused.getsockname()[1])
        monkeypatch.setattr(loopback, "BUNDLE", None)
        with pytest.raises(ConnectionRefusedError):
            loopback.Connection("dcor.example.org").connect()
