"""A TLS certificate and its private key, as the two files that nginx reads."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from dcor_pkg.answers.settings import OWN, SELF_SIGNED
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.machine import clock, paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls import x509_properties

DIRECTORY = f"{paths.CONFIGURATION}/tls"
PUBLIC = Access(0o644)
#: A certificate that expires sooner has to be renewed.
RENEW_BEFORE = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Pair:
    """The paths of a certificate (followed by its issuers' certificates) and of its private key."""

    certificate: str
    key: str

    def read(self, host: Host) -> tuple[str | None, str | None]:
        """Return the texts of the certificate and of the key, None for a file that is missing."""
        return host.read(self.certificate), host.read(self.key)

    def write(self, host: Host, certificate: str, key: str) -> None:
        """Replace both files, and request the reload of nginx that this entails."""
        pending.request(host, pending.RELOAD_NGINX)
        host.make_directory(secrets.DIRECTORY, secrets.DIRECTORY_ACCESS)
        host.write(self.key, key, secrets.ACCESS)
        host.write(self.certificate, certificate, PUBLIC)

    def check(self, host: Host, *names: str) -> str | None:
        """Return why this pair should not be served under these host names and IP addresses, or None.

        The properties count, not whether the files are the ones that were written: an admin may have replaced them.
        """
        return self.unfit(host, *names) or self.certificate_drift(host)

    def unfit(self, host: Host, *names: str) -> str | None:
        """Return the same, but for the access of the certificate: what has only a wrong one can still be served."""
        text, key = self.read(host)
        if text is None or key is None:
            return "is missing"
        drift = self.key_drift(host)
        return _problem(text, key, names) if drift is None else drift

    def key_drift(self, host: Host) -> str | None:
        """Return how the access of the key's file differs from that of a secret, or None."""
        drift = host.access_drift(self.key, secrets.ACCESS)
        return None if drift is None else f"its key {drift}"

    def certificate_drift(self, host: Host) -> str | None:
        """Return how the access of the certificate's file differs from that of a public one, or None."""
        drift = host.access_drift(self.certificate, PUBLIC)
        return None if drift is None else f"its file {drift}"


#: By the setting `certificate`. Each kind has files of its own, so that the former certificate, which clients may have
#: been configured to trust, is still there when the setting is changed back.
PAIRS = {
    SELF_SIGNED: Pair(f"{DIRECTORY}/certificate.pem", f"{secrets.DIRECTORY}/tls-key.pem"),
    OWN: Pair(f"{DIRECTORY}/own.pem", f"{secrets.DIRECTORY}/own-key.pem"),
}


def _problem(text: str, key: str, names: Sequence[str]) -> str | None:
    try:
        certificate = x509_properties.load_chain(text)[0]
        private_key = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "cannot be read"
    if not x509_properties.has_key(certificate, private_key):
        return "does not belong to its key"
    for name in names:
        if not x509_properties.covers(certificate, name):
            return f"is not for {name}"
    return _date_problem(certificate) if clock.is_possible() else None


def _date_problem(certificate: x509.Certificate) -> str | None:
    """Return what the dates say. While the clock is wrong they say nothing: clients have pinned the certificate."""
    begin, now = x509_properties.valid_from(certificate), clock.now()
    if begin > now:
        return f"is not valid before {begin:%Y-%m-%d}"
    left = x509_properties.valid_until(certificate) - now
    return None if left > RENEW_BEFORE else f"expires in {left.days} days"
