"""A self-signed certificate is accepted by clients that pin it, and its key cannot sign for another host."""

from __future__ import annotations

import datetime
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.self_signed import PAIR, SelfSignedCertificate
from tests.unit.tls.authority import DAY, KEY, NAME, ROOT, Authority, pem

VICTIM = "bank.example.org"


@pytest.fixture
def pinned(host: Host) -> Path:
    """Return the file with the certificate that clients pin."""
    run([SelfSignedCertificate(NAME)], host)
    return host.path(PAIR.certificate)


def forged(host: Host, pinned: Path) -> str:
    """Return a chain for VICTIM, of which KEY is the key, signed by the key of the pinned certificate."""
    key = load_pem_private_key((host.read(PAIR.key) or "").encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Authority(NAME, key=key).issue(KEY, VICTIM) + pinned.read_text()


@contextmanager
def served(tmp_path: Path, chain: str, key: str) -> Iterator[int]:
    """Serve one TLS handshake after the other with a certificate; give the port."""
    files = tmp_path / "served.pem", tmp_path / "served-key.pem"
    files[0].write_text(chain)
    files[1].write_text(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)

    def accept() -> None:
        for connection in iter(lambda: listener.accept()[0], None):
            connection.settimeout(5)
            try:
                context.wrap_socket(connection, server_side=True).close()
            except (ssl.SSLError, ConnectionError):
                connection.close()  # the client has rejected the certificate, or the test has ended

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_until_closed, args=(accept,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _until_closed(accept: object) -> None:
    assert callable(accept)
    try:
        accept()
    except OSError:
        return  # the listener was closed


def shake_hands(port: int, hostname: str, authorities: Path) -> None:
    """Connect as requests does. Raises ssl.SSLCertVerificationError if the certificate is not trusted."""
    context = ssl.create_default_context(cafile=str(authorities))
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        context.wrap_socket(connection, server_hostname=hostname).close()


def openssl(port: int, hostname: str, authorities: Path) -> str:
    """Return what `openssl s_client` prints of a handshake."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", hostname]
    options = ["-verify_hostname", hostname, "-CAfile", str(authorities), "-verify_return_error"]
    done = subprocess.run([*command, *options], input="", capture_output=True, text=True, check=False, timeout=20)
    return done.stdout + done.stderr


@pytest.fixture
def bundle(tmp_path: Path, pinned: Path) -> Path:
    """Return a bundle of authorities to which the certificate was appended, as users do with certifi's."""
    file = tmp_path / "bundle.pem"
    file.write_text(ROOT.pem + pinned.read_text())
    return file


def test_clients_that_pin_the_certificate_accept_it(host: Host, tmp_path: Path, pinned: Path, bundle: Path) -> None:
    with served(tmp_path, pinned.read_text(), host.read(PAIR.key) or "") as port:
        for authorities in (pinned, bundle):
            shake_hands(port, NAME, authorities)
            assert "Verify return code: 0 (ok)" in openssl(port, NAME, authorities)
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            shake_hands(port, VICTIM, pinned)


def test_a_certificate_that_its_key_has_signed_for_another_host_is_rejected(
    host: Host, tmp_path: Path, pinned: Path, bundle: Path
) -> None:
    with served(tmp_path, forged(host, pinned), pem(KEY)) as port:
        for authorities in (pinned, bundle):
            with pytest.raises(ssl.SSLCertVerificationError, match="invalid CA certificate"):
                shake_hands(port, VICTIM, authorities)
            assert "verify error" in openssl(port, VICTIM, authorities)


def test_it_is_a_servers_certificate_and_not_an_authoritys(pinned: Path) -> None:
    (certificate,) = x509_properties.load_chain(pinned.read_text())
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_it_is_valid_when_the_clock_is_right_again_that_was_ahead(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    with monkeypatch.context() as ahead:
        ahead.setattr(clock, "now", lambda: now + 365 * DAY)
        run([SelfSignedCertificate(NAME)], host)
    (certificate,) = x509_properties.load_chain(host.read(PAIR.certificate) or "")
    assert x509_properties.valid_from(certificate) <= now
    (outcome,) = run([SelfSignedCertificate(NAME)], host)
    assert outcome.result is Result.UNCHANGED


def test_it_is_valid_when_the_clock_is_right_again_that_began_in_the_past(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as past:
        past.setattr(clock, "now", lambda: datetime.datetime(1970, 1, 2, tzinfo=datetime.timezone.utc))
        run([SelfSignedCertificate(NAME)], host)
    (outcome,) = run([SelfSignedCertificate(NAME)], host)
    assert outcome.result is Result.UNCHANGED


def test_an_authoritys_certificate_of_a_former_version_is_not_replaced(host: Host) -> None:
    """Clients have pinned it, and a new one would lock them out."""
    PAIR.write(host, Authority.sign(NAME, KEY, signer=Authority(NAME, key=KEY), is_authority=True), pem(KEY))
    (outcome,) = run([SelfSignedCertificate(NAME)], host)
    assert outcome.result is Result.UNCHANGED


def fingerprint(host: Host) -> str:
    return x509_properties.fingerprint(x509_properties.load_chain(host.read(PAIR.certificate) or "")[0])


def _converge_when_it_ends(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + 3621 * DAY
    monkeypatch.setattr(clock, "now", lambda: later)
    run([SelfSignedCertificate(NAME)], host)


def _converge_with_another_name(host: Host, _: pytest.MonkeyPatch) -> None:
    run([SelfSignedCertificate("other.example.org")], host)


def _renew(host: Host, _: pytest.MonkeyPatch) -> None:
    SelfSignedCertificate(NAME).renew(host, new_key=False)


def _lose_the_certificate(host: Host, _: pytest.MonkeyPatch) -> None:
    host.remove(PAIR.certificate)
    run([SelfSignedCertificate(NAME)], host)


@pytest.mark.parametrize("event", [_converge_when_it_ends, _converge_with_another_name, _renew, _lose_the_certificate])
def test_a_new_certificate_has_the_same_key(
    host: Host, pinned: Path, monkeypatch: pytest.MonkeyPatch, event: Callable[[Host, pytest.MonkeyPatch], None]
) -> None:
    del pinned
    key = host.read(PAIR.key)
    before = fingerprint(host)
    event(host, monkeypatch)
    assert fingerprint(host) != before
    assert host.read(PAIR.key) == key


def _unusable(host: Host, text: str) -> None:
    host.write(PAIR.key, text, Access(0o600))


DAMAGES: dict[str, Callable[[Host], None]] = {
    "missing": lambda host: host.remove(PAIR.key),
    "unreadable": lambda host: _unusable(host, "nothing"),
    "encrypted": lambda host: _unusable(host, pem(KEY, b"hush")),
    "another curve": lambda host: _unusable(host, pem(ec.generate_private_key(ec.SECP384R1()))),
    "another kind": lambda host: _unusable(host, pem(ed25519.Ed25519PrivateKey.generate())),
    "short": lambda host: _unusable(host, pem(rsa.generate_private_key(65537, 1024))),
    "readable by others": lambda host: host.path(PAIR.key).chmod(0o644),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_key_that_is_no_good_or_may_be_known_is_replaced(
    host: Host, pinned: Path, damage: Callable[[Host], None]
) -> None:
    before = x509_properties.load_chain(pinned.read_text())[0]
    damage(host)
    text = host.read(PAIR.key)
    SelfSignedCertificate(NAME).renew(host, new_key=False)
    assert host.read(PAIR.key) != text
    assert PAIR.check(host, NAME) is None
    assert not x509_properties.has_key(before, load_pem_private_key((host.read(PAIR.key) or "").encode(), None))


@pytest.mark.parametrize("new_key", [False, True])
def test_clients_that_trust_the_former_certificate_as_well_accept_the_new_one(
    host: Host, tmp_path: Path, pinned: Path, new_key: bool
) -> None:
    former = pinned.read_text()
    SelfSignedCertificate(NAME).renew(host, new_key=new_key)
    both = tmp_path / "both.pem"
    both.write_text(former + pinned.read_text())
    with served(tmp_path, pinned.read_text(), host.read(PAIR.key) or "") as port:
        shake_hands(port, NAME, both)


def test_a_new_key_is_made_when_it_is_wanted(host: Host, pinned: Path) -> None:
    del pinned
    key = host.read(PAIR.key)
    SelfSignedCertificate(NAME).renew(host, new_key=True)
    assert host.read(PAIR.key) != key
    assert PAIR.check(host, NAME) is None


def test_an_administrators_key_of_rsa_is_used_again(host: Host, pinned: Path) -> None:
    del pinned
    _unusable(host, pem(rsa.generate_private_key(65537, 2048)))
    key = host.read(PAIR.key)
    run([SelfSignedCertificate(NAME)], host)
    assert host.read(PAIR.key) == key
    assert PAIR.check(host, NAME) is None


NAMED = SelfSignedCertificate(NAME, ("dcor.intranet", "192.0.2.10", "2001:db8::10", NAME), days=825)


def test_further_names_and_the_validity_are_in_the_certificate(host: Host) -> None:
    run([NAMED], host)
    (certificate,) = x509_properties.load_chain(host.read(PAIR.certificate) or "")
    assert x509_properties.names(certificate) == [NAME, "dcor.intranet", "192.0.2.10", "2001:db8::10"]
    assert (x509_properties.valid_until(certificate) - clock.now()).days in (824, 825)
    assert [outcome.result for outcome in run([NAMED], host)] == [Result.UNCHANGED]


@pytest.mark.parametrize("name", ["other.intranet", "192.0.2.11", "2001:db8::11"])
def test_a_new_name_is_drift_and_keeps_the_key(host: Host, name: str) -> None:
    run([NAMED], host)
    key = host.read(PAIR.key)
    (outcome,) = run([SelfSignedCertificate(NAME, (*NAMED.names, name))], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"is not for {name}")
    assert host.read(PAIR.key) == key


def test_a_name_that_is_not_wanted_any_more_costs_no_certificate(host: Host) -> None:
    run([NAMED], host)
    assert [outcome.result for outcome in run([SelfSignedCertificate(NAME)], host)] == [Result.UNCHANGED]


def test_a_certificate_that_others_cannot_read_stays_the_one_that_clients_have_pinned(host: Host, pinned: Path) -> None:
    before = PAIR.read(host)
    pinned.chmod(0o600)
    (outcome,) = run([SelfSignedCertificate(NAME)], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, "its file is root:root 0600, not root:root 0644")
    assert (PAIR.read(host), host.access(PAIR.certificate)) == (before, Access(0o644))
