"""nginx itself staples what a responder says, and waits for none that is down or silent."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.answers.settings import OWN, Settings
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS
from tests.unit.nginx.nginx_server import NAME, NginxServer, opened
from tests.unit.tls.authority import INTERMEDIATE, KEY, ROOT, pem

SERVED = PAIRS[OWN]
SETTINGS = Settings(hostname=NAME, certificate=OWN, certificate_file="/srv/chain.pem", certificate_key="/srv/key.pem")
#: in openssl-ca(1)'s index: valid, until, revoked, serial number, file, subject
GOOD = "V\t351231000000Z\t\t{:X}\tunknown\t/CN=dcor.example.org\n"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Return a socket that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@contextmanager
def serving(port: int) -> Iterator[NginxServer]:
    """Serve a certificate whose responder is at a port."""
    with TemporaryDirectory(prefix="nginx") as directory:
        host = Host(Path(directory))
        host.write(AUTHORITIES, ROOT.pem, Access(0o644))
        chain = INTERMEDIATE.issue(KEY, responder=f"http://127.0.0.1:{port}/") + INTERMEDIATE.pem
        host.write(SETTINGS.certificate_file, chain, Access(0o644))
        host.write(SETTINGS.certificate_key, pem(KEY), Access(0o600))
        with opened(host, settings=SETTINGS) as server:
            yield server


@contextmanager
def responder(server: NginxServer, port: int) -> Iterator[None]:
    """Answer that the certificate is good."""
    host = Host(server.root)
    number = x509_properties.load_chain(host.read(SERVED.certificate) or "")[0].serial_number
    for name, text in (("index", GOOD.format(number)), ("ca.pem", INTERMEDIATE.pem), ("ca-key", pem(INTERMEDIATE.key))):
        (server.root / name).write_text(text)
    files = ("-index", "index", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca-key")
    program = ("openssl", "ocsp", "-port", str(port), "-nmin", "60", *files)
    with subprocess.Popen(program, cwd=server.root, stderr=subprocess.DEVNULL) as running:
        try:
            yield
        finally:
            running.terminate()


def staple(server: NginxServer) -> str:
    """Return what is said of the certificate in a handshake."""
    asked = ("openssl", "s_client", "-connect", f"127.0.0.1:{server.tls}", "-servername", NAME, "-status")
    shown = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
    found = re.search(r"^    Cert Status: (.+)$", shown, re.MULTILINE)
    return found[1] if found else ""


def test_a_good_answer_is_stapled(silent: socket.socket) -> None:
    port = silent.getsockname()[1]
    silent.close()
    with serving(port) as server:
        assert (server.ask("/about").status, staple(server)) == (200, "")  # it is down
    with serving(port) as server, responder(server, port):
        deadline = time.monotonic() + 30
        while staple(server) != "good":
            assert time.monotonic() < deadline, (server.root / "error.log").read_text()
            time.sleep(0.05)


def test_no_request_waits_for_a_silent_responder(silent: socket.socket) -> None:
    with serving(silent.getsockname()[1]) as server:
        started = time.monotonic()
        answers = [server.ask("/about") for _ in range(10)]
        assert (staple(server), time.monotonic() - started < 10) == ("", True)
    assert {answer.status for answer in answers} == {200}
    assert all("strict-transport-security" in answer.headers for answer in answers)
