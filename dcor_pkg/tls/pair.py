"""A TLS certificate and its private key, as the two files that nginx reads."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from dcor_pkg.answers.settings import ACME, OWN, SELF_SIGNED
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.machine import clock, paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.language import Message, _, marked
from dcor_pkg.tls import x509_properties

DIRECTORY = f"{paths.CONFIGURATION}/tls"
PUBLIC = Access(0o644)
#: A certificate that expires sooner has to be renewed; a short-lived one after half of its time.
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

    def unfit(self, host: Host, *names: str, ends_soon: bool = True) -> str | None:
        """Return the same, but for the access of the certificate: what has only a wrong one can still be served.

        `ends_soon`: whether one is unfit that has to be renewed, and not only one that has expired.
        """
        text, key = self.read(host)
        if text is None or key is None:
            return _("is missing")
        drift = self.key_drift(host)
        return problem(text, key, names, ends_soon=ends_soon) if drift is None else drift

    def key_drift(self, host: Host) -> str | None:
        """Return how the access of the key's file differs from that of a secret, or None."""
        drift = host.access_drift(self.key, secrets.ACCESS)
        return None if drift is None else _("its key {drift}").format(drift=drift)

    def certificate_drift(self, host: Host) -> str | None:
        """Return how the access of the certificate's file differs from that of a public one, or None."""
        drift = host.access_drift(self.certificate, PUBLIC)
        return None if drift is None else _("its file {drift}").format(drift=drift)


#: By the setting `certificate`. Each kind has files of its own, so that the former certificate, which clients may have
#: been configured to trust, is still there when the setting is changed back.
PAIRS = {
    SELF_SIGNED: Pair(f"{DIRECTORY}/certificate.pem", f"{secrets.DIRECTORY}/tls-key.pem"),
    OWN: Pair(f"{DIRECTORY}/own.pem", f"{secrets.DIRECTORY}/own-key.pem"),
    # Until the authority has issued one, these are copies of the self-signed certificate and its key.
    ACME: Pair(f"{DIRECTORY}/acme.pem", f"{secrets.DIRECTORY}/acme-key.pem"),
}


def renew_before(certificate: x509.Certificate) -> datetime.timedelta:
    """Return how long before its end a certificate has to be renewed."""
    return min(RENEW_BEFORE, x509_properties.lifetime(certificate) / 2)


def problem(text: str, key: str, names: Sequence[str], *, ends_soon: bool = True) -> str | None:
    """Return why a certificate and a key, in PEM, should not be served under these names, or None."""
    found = fault(text, key, names, ends_soon=ends_soon)
    return None if found is None else str(found)


def fault(text: str, key: str, names: Sequence[str], *, ends_soon: bool = True) -> Message | None:
    """Return the same as a message that can be recorded."""
    try:
        certificate = x509_properties.load_chain(text)[0]
        private_key = serialization.load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Message(marked("cannot be read"))
    if not x509_properties.has_key(certificate, private_key):
        return Message(marked("does not belong to its key"))
    for name in names:
        if not x509_properties.covers(certificate, name):
            return Message(marked("is not for {name}"), {"name": name})
    margin = renew_before(certificate) if ends_soon else datetime.timedelta()
    return _date_fault(certificate, margin) if clock.is_possible() else None


def _date_fault(certificate: x509.Certificate, margin: datetime.timedelta) -> Message | None:
    """Return what the dates say. While the clock is wrong they say nothing: clients have pinned the certificate."""
    begin, now = x509_properties.valid_from(certificate), clock.now()
    if begin > now:
        return Message(marked("is not valid before {day}"), {"day": f"{begin:%Y-%m-%d}"})
    left = x509_properties.valid_until(certificate) - now
    if left > margin:
        return None
    if left.days < 0:
        return Message(marked("has expired"))
    return Message(marked("expires in {number} days"), {"number": left.days})
