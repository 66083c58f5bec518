"""The script that users run: it adds the certificate that has the right fingerprint, and nothing else."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dcor_pkg.kernel import templates
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import trust_page
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.self_signed import PAIR, SelfSignedCertificate
from tests.unit.tls.authority import OTHER_KEY, ROOT, Authority

#: a file of certifi, with a comment that is not ASCII
BUNDLE = f"\n# Issuer: CN=Főtanúsítvány\n{ROOT.pem}"
OLD_PYTHON = 'raise ImportError("No module named certifi")\n'


@dataclass
class Client:
    """A Python with certifi, and a server that offers `offered`."""

    root: Path
    host: Host
    offered: str = ""
    status: int = 200

    @property
    def bundle(self) -> Path:
        return self.root / "certifi/cacert.pem"

    @property
    def fingerprint(self) -> str:
        return x509_properties.fingerprint(x509_properties.load_chain(self.offered)[0])

    def renew(self) -> None:
        """Let the server have another certificate; it serves with the former one, which nobody verifies."""
        self.offered = Authority("localhost", key=OTHER_KEY).pem

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, self.root / "trust.py", *arguments],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(self.root), "LANG": "C.UTF-8"},
            timeout=60,
        )


@pytest.fixture
def client(tmp_path: Path, host: Host) -> Iterator[Client]:
    """Return a client of a server on this computer."""
    client = Client(tmp_path / "client", host)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == trust_page.CERTIFICATE.address
            self.send_response(client.status)
            self.end_headers()
            self.wfile.write(client.offered.encode())

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log nothing."""

    SelfSignedCertificate("localhost").apply(host)
    client.offered = host.read(PAIR.certificate) or ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(host.path(PAIR.certificate), host.path(PAIR.key))
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client.bundle.parent.mkdir(parents=True)
    client.bundle.write_text(BUNDLE)
    where = f"def where():\n    return {str(client.bundle)!r}\n"
    (client.bundle.parent / "__init__.py").write_text(where)
    script = templates.render("nginx/templates/trust-script", {"hostname": f"localhost:{server.server_port}"}, host)
    (client.root / "trust.py").write_text(script)
    yield client
    server.shutdown()
    server.server_close()


def test_a_user_can_read_it() -> None:
    lines = (templates.PACKAGE / "nginx/templates/trust-script").read_text().splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 120


def test_the_told_fingerprint_makes_it_trusted(client: Client) -> None:
    done = client.run(typed=f"{client.fingerprint}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert client.fingerprint in done.stdout
    assert "is trusted." in done.stdout
    text = client.bundle.read_text()
    assert text.startswith(BUNDLE)
    assert client.offered in text
    ssl.create_default_context(cafile=str(client.bundle))


@pytest.mark.parametrize("form", ["{}", "SHA256:{}", "sha256 Fingerprint={}", " {}\n"])
@pytest.mark.parametrize("change", [str, str.lower, lambda it: it.replace(":", ""), lambda it: it.replace(":", " ")])
def test_each_form_of_a_fingerprint_is_accepted(client: Client, form: str, change: type[str]) -> None:
    assert client.run("--fingerprint", form.format(change(client.fingerprint))).returncode == 0
    assert client.offered in client.bundle.read_text()


@pytest.mark.parametrize("told", ["yes", "", "AB:CD", "{}:00", "00{}"[2:] + "0"])
def test_another_fingerprint_changes_nothing(client: Client, told: str) -> None:
    told = told.format(client.fingerprint)
    for done in (client.run(typed=f"{told}\n"), client.run("--fingerprint", told or "0")):
        assert done.returncode == 1
        assert "nothing was changed" in done.stderr
    assert client.bundle.read_text() == BUNDLE


def test_nobody_to_ask_changes_nothing(client: Client) -> None:
    done = client.run()
    assert (done.returncode, "Nothing was changed: EOF" in done.stderr) == (1, True)
    assert client.bundle.read_text() == BUNDLE


def test_twice_is_once(client: Client) -> None:
    for _ in range(2):
        assert client.run("--fingerprint", client.fingerprint).returncode == 0
    assert client.bundle.read_text().count(client.offered) == 1


def test_a_renewed_certificate_takes_the_place_of_the_old_one(client: Client) -> None:
    old = client.offered
    client.run("--fingerprint", client.fingerprint)
    client.renew()
    assert client.run("--fingerprint", client.fingerprint).returncode == 0
    text = client.bundle.read_text()
    assert (old in text, text.count(client.offered)) == (False, 1)


def test_remove_restores_the_file_and_needs_no_server(client: Client) -> None:
    client.run("--fingerprint", client.fingerprint)
    client.status = 500
    done = client.run("--remove")
    assert (done.returncode, done.stdout.endswith("is not trusted any more.\n")) == (0, True)
    assert client.bundle.read_text() == BUNDLE


def test_only_the_certificate_of_the_fingerprint_is_added(client: Client) -> None:
    """What comes after it would be trusted unseen."""
    first, second = client.offered, Authority("second.example.org").pem
    client.offered = first + second
    client.run("--fingerprint", client.fingerprint)
    assert client.bundle.read_text().replace(first, "").count("BEGIN CERTIFICATE") == BUNDLE.count("BEGIN CERTIFICATE")


def test_the_file_stays_readable_for_others(client: Client) -> None:
    client.bundle.chmod(0o664)
    client.run("--fingerprint", client.fingerprint)
    assert client.bundle.stat().st_mode & 0o777 == 0o664
    assert sorted(path.name for path in client.bundle.parent.glob("cacert*")) == ["cacert.pem"]


def test_a_program_with_a_python_of_its_own_is_named(client: Client) -> None:
    own = client.root / "Program/_internal/certifi/cacert.pem"
    own.parent.mkdir(parents=True)
    own.write_text(BUNDLE)
    (client.bundle.parent / "__init__.py").write_text(OLD_PYTHON)
    assert client.run("--bundle", str(own), "--fingerprint", client.fingerprint).returncode == 0
    assert client.offered in own.read_text()
    assert client.bundle.read_text() == BUNDLE


def test_a_python_without_certifi_is_the_wrong_one(client: Client) -> None:
    (client.bundle.parent / "__init__.py").write_text(OLD_PYTHON)
    done = client.run("--fingerprint", client.fingerprint)
    assert (done.returncode, done.stderr) == (1, "Nothing was changed: No module named certifi\n")


def test_the_systems_certificates_are_left_alone(client: Client) -> None:
    """Debian's certifi names the file that update-ca-certificates writes."""
    system = client.root / "certs/ca-certificates.crt"
    system.parent.mkdir()
    system.write_text(BUNDLE)
    (client.bundle.parent / "__init__.py").write_text(f"def where():\n    return {str(system)!r}\n")
    done = client.run("--fingerprint", client.fingerprint)
    assert done.returncode == 1
    assert done.stderr.startswith(f"This Python trusts the certificates of the system, {system}: see https://")
    assert system.read_text() == BUNDLE


def test_a_server_that_offers_none_changes_nothing(client: Client) -> None:
    client.status = 404
    done = client.run("--fingerprint", client.fingerprint)
    assert (done.returncode, done.stderr) == (1, "Nothing was changed: HTTP Error 404: Not Found\n")
    assert client.bundle.read_text() == BUNDLE
