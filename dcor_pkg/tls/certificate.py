"""TLS certificates: which one is served, whether it is good, and the bundle with which this server trusts itself."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from dcor_pkg.answers.settings import OWN, SELF_SIGNED
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES

if TYPE_CHECKING:  # cryptography 38 (Debian 12) does not know these names yet
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

DIRECTORY = "/etc/dcor-server/tls"
#: Debian's authorities and the served certificate, for the programs of a release (certifi's bundle leads here).
BUNDLE = f"{DIRECTORY}/bundle.pem"
DEBIAN_BUNDLE = AUTHORITIES
PUBLIC = Access(0o644)
RENEW = datetime.timedelta(days=30)
RELOAD = "reload nginx.service"


@dataclass(frozen=True)
class Pair:
    """A certificate (with those that signed it) and its private key, as files that nginx reads."""

    certificate: str
    key: str

    def texts(self, host: Host) -> tuple[str | None, str | None]:
        """Return what the two files hold."""
        return host.read(self.certificate), host.read(self.key)


#: by the setting `certificate`; one does not overwrite the other, so that there is a way back to what clients trust
PAIRS = {
    SELF_SIGNED: Pair(f"{DIRECTORY}/certificate.pem", f"{secrets.DIRECTORY}/tls-key.pem"),
    OWN: Pair(f"{DIRECTORY}/own.pem", f"{secrets.DIRECTORY}/own-key.pem"),
}


def fault(host: Host, pair: Pair, hostname: str) -> str | None:
    """Validator the properties that we want of a pair, not the file that we left; None when all is well."""
    text, key = pair.texts(host)
    if text is None or key is None:
        return "is missing"
    if (drift := host.access_drift(pair.key, secrets.ACCESS)) is not None:
        return f"its key {drift}"
    try:
        certificate = load_chain(text)[0]
        private = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        return "cannot be read"
    if not fits(certificate, private):
        return "does not belong to its key"
    if not covers(certificate, hostname):
        return f"is not for {hostname}"
    left = end(certificate) - now()
    return None if left > RENEW else f"ends in {left.days} days"


@dataclass(frozen=True)
class TrustBundle:
    """The authorities of Debian and the certificate that is served, in one file."""

    served: Pair
    name: str = "trust bundle"

    def check(self, host: Host) -> str | None:
        return None if host.read(BUNDLE) == self._text(host) else "is not Debian's authorities and our certificate"

    def apply(self, host: Host) -> None:
        host.write(BUNDLE, self._text(host), PUBLIC)

    def _text(self, host: Host) -> str:
        return (host.read(DEBIAN_BUNDLE) or "") + (host.read(self.served.certificate) or "")


def load_chain(text: str) -> list[x509.Certificate]:
    """Return the certificates in a PEM text, in its order. Raises ValueError where there is none."""
    marks = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")
    blocks = [part.split(marks[1])[0] for part in text.split(marks[0])[1:]]
    if not blocks:
        raise ValueError("there is no certificate")
    return [x509.load_pem_x509_certificate(f"{marks[0]}{block}{marks[1]}\n".encode()) for block in blocks]


def fits(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    """Tell whether a certificate is that of a key."""
    return _public(certificate.public_key()) == _public(key.public_key())


def covers(certificate: x509.Certificate, hostname: str) -> bool:
    """Tell whether a certificate is good for a name (RFC 6125, section 6.4: a * stands for the first label)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    accepted = {hostname, f"*.{hostname.partition('.')[2]}"}
    return any(name.lower() in accepted for name in names.get_values_for_type(x509.DNSName))


def begin(certificate: x509.Certificate) -> datetime.datetime:
    """Return when a certificate begins to be valid."""
    return _aware(certificate, "not_valid_before")


def end(certificate: x509.Certificate) -> datetime.datetime:
    """Return when a certificate ends."""
    return _aware(certificate, "not_valid_after")


def now() -> datetime.datetime:
    """Return the present moment, with its zone."""
    return datetime.datetime.now(datetime.timezone.utc)


def _aware(certificate: x509.Certificate, name: str) -> datetime.datetime:
    """Return a time of a certificate; cryptography before 42 (Debian 12) says it without its zone."""
    aware: datetime.datetime | None = getattr(certificate, f"{name}_utc", None)
    naive: datetime.datetime = getattr(certificate, name) if aware is None else aware
    return naive.replace(tzinfo=datetime.timezone.utc)


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
