"""A certificate of the admin's own: judged before it is used, and taken anew from its files when they change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from dcor_pkg.answers.settings import OWN, InvalidAnswer, Settings
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import certificate
from dcor_pkg.tls.certificate import Pair

SERVED = certificate.PAIRS[OWN]
AUTHORITIES_HINT = (
    "Add the missing ones to the file; an authority of your own goes to /usr/local/share/ca-certificates/NAME.crt, "
    "then: update-ca-certificates"
)
IN_FILE, IN_KEY = "certificate-file", "certificate-key"


@dataclass(frozen=True)
class OwnCertificate:
    """A copy of the admin's two files, so that a half-written renewal, or none, never reaches nginx."""

    source: Pair
    hostname: str
    name: str = "certificate"

    def check(self, host: Host) -> str | None:
        wanted, served = self.source.texts(host), SERVED.texts(host)
        if None not in wanted and wanted != served:
            return f"is not the one in {self.source.certificate}"
        if None in served:
            return "is missing"
        drift = host.access_drift(SERVED.key, secrets.ACCESS)
        return None if drift is None else f"its key {drift}"

    def apply(self, host: Host) -> None:
        validate(host, self.source, self.hostname)
        text, key = self.source.texts(host)
        pending.request(host, certificate.RELOAD)
        host.make_directory(secrets.DIRECTORY, secrets.DIRECTORY_ACCESS)
        host.write(SERVED.key, key or "", secrets.ACCESS)
        host.write(SERVED.certificate, text or "", certificate.PUBLIC)


def source(settings: Settings) -> Pair:
    """Return the admin's files."""
    return Pair(settings.certificate_file, settings.certificate_key)


def validate(host: Host, pair: Pair, hostname: str) -> None:
    """Raise InvalidAnswer for the first reason why the admin's files cannot be served under `hostname`."""
    chain = _chain(host, pair.certificate)
    _validate_key(host, pair, chain[0])
    for reason, hint in _faults(host, pair, chain, hostname):
        raise InvalidAnswer(f"dcor-server/{IN_FILE}", pair.certificate, reason, hint)


def _chain(host: Host, path: str) -> list[x509.Certificate]:
    text = _text(host, IN_FILE, path)
    try:
        return certificate.load_chain(text)
    except ValueError:
        raise InvalidAnswer(
            f"dcor-server/{IN_FILE}", path, "holds no certificate in PEM", "It begins with -----BEGIN CERTIFICATE-----."
        ) from None


def _validate_key(host: Host, pair: Pair, first: x509.Certificate) -> None:
    def refused(reason: str, hint: str) -> InvalidAnswer:
        return InvalidAnswer(f"dcor-server/{IN_KEY}", pair.key, reason, hint)

    try:
        key = serialization.load_pem_private_key(_text(host, IN_KEY, pair.key).encode(), None)
    except TypeError:
        raise refused(
            "is locked by a passphrase", "nginx starts without anybody to type one: openssl pkey -in KEY -out NEW"
        ) from None
    except ValueError:
        raise refused("holds no private key in PEM", "It begins with -----BEGIN PRIVATE KEY-----.") from None
    if not certificate.fits(first, key):
        raise refused(
            f"is not the key of the first certificate in {pair.certificate}",
            "The server's own certificate comes first, then those that signed it.",
        )


def _text(host: Host, key: str, path: str) -> str:
    text = host.read(path)
    if text is None:
        raise InvalidAnswer(f"dcor-server/{key}", path, "there is no such file", "Name it with its whole path.")
    return text


def _faults(host: Host, pair: Pair, chain: Sequence[x509.Certificate], hostname: str) -> Iterator[tuple[str, str]]:
    """Give each thing that is wrong with the certificates, and what helps."""
    first = chain[0]
    if not certificate.covers(first, hostname):
        yield f"is not for {hostname}", "Its subjectAltName has to hold the name; openssl x509 -text shows it."
    if certificate.begin(first) > certificate.now():
        yield f"is not valid before {certificate.begin(first):%Y-%m-%d %H:%M} UTC", "Is the clock right? timedatectl"
    for place, one in enumerate(chain, 1):
        if certificate.end(one) < certificate.now():
            yield f"its certificate number {place} has expired on {certificate.end(one):%Y-%m-%d}", "Renew it first."
    for place, (one, signer) in enumerate(zip(chain, chain[1:]), 2):
        if one.issuer != signer.subject:
            yield (
                f"its certificate number {place} is not that of the authority that signed number {place - 1}",
                "The order is: the server's, the one that signed it, and so on.",
            )
    if first.issuer != first.subject and (words := _distrust(host, pair.certificate)):
        yield f"is not signed by an authority that this machine trusts ({words})", AUTHORITIES_HINT


def _distrust(host: Host, path: str) -> str | None:
    """Return why OpenSSL does not trust a chain, in its words (openssl-verify(1))."""
    try:
        host.run(
            *("openssl", "verify", "-purpose", "sslserver", "-CAfile", str(host.path(certificate.DEBIAN_BUNDLE))),
            *("-untrusted", str(host.path(path)), str(host.path(path))),
        )
    except CommandFailed as error:
        told = [line for line in error.hint.splitlines() if line.startswith("error ")]
        return told[0].partition(": ")[2] if told else error.hint
    return None
