"""Properties of X.509 certificates: pure functions, without a look at the machine."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import AuthorityInformationAccessOID

from dcor_pkg.answers import server_names

if TYPE_CHECKING:  # cryptography 38 (Debian 12) does not have these names yet
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def load_chain(text: str) -> list[x509.Certificate]:
    """Return the certificates in a PEM text, in the order of the text. Raises ValueError if there are none.

    Text around the certificates is ignored (RFC 7468, section 5.2).
    """
    found = blocks(text)
    if not found:
        raise ValueError("there is no certificate")
    return [x509.load_pem_x509_certificate(block) for block in found]


def blocks(text: str) -> list[bytes]:
    """Return each certificate in a PEM text, in PEM."""
    inner = (part.split(END)[0] for part in text.split(BEGIN)[1:])
    return [f"{BEGIN}{lines}{END}\n".encode() for lines in inner]


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint, as OpenSSL and Firefox show it: AB:CD:..."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def names(certificate: x509.Certificate) -> list[str]:
    """Return the host names in subjectAltName, then its IP addresses."""
    return [*_alternative(certificate, x509.DNSName), *map(str, _alternative(certificate, x509.IPAddress))]


def _alternative(certificate: x509.Certificate, kind: type[x509.DNSName] | type[x509.IPAddress]) -> list[Any]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return found.get_values_for_type(kind)


def has_key(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    """Return whether a private key is the one that belongs to a certificate."""
    return _public(certificate.public_key()) == _public(key.public_key())


def covers(certificate: x509.Certificate, name: str) -> bool:
    """Return whether a certificate is valid for a host name or an IP address.

    Only subjectAltName counts, and a * stands for the whole first label (RFC 6125, section 6.4). An IP address is
    compared with IP addresses (RFC 2818, section 3.1).
    """
    address = server_names.address(name)
    if address is not None:
        return address in _alternative(certificate, x509.IPAddress)
    accepted = {name, f"*.{name.partition('.')[2]}"}
    return any(it.lower() in accepted for it in _alternative(certificate, x509.DNSName))


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether a certificate's key may sign others' (RFC 5280, section 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def ocsp_responder(certificate: x509.Certificate) -> str | None:
    """Return the address of the first responder of OCSP that a certificate names (RFC 5280, section 4.2.2.1), or None.

    nginx looks at the first one only, too.
    """
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return None
    places = [it.access_location for it in found if it.access_method == AuthorityInformationAccessOID.OCSP]
    return next((it.value for it in places if isinstance(it, x509.UniformResourceIdentifier)), None)


def lifetime(certificate: x509.Certificate) -> datetime.timedelta:
    """Return for how long a certificate is valid in all."""
    return valid_until(certificate) - valid_from(certificate)


def valid_from(certificate: x509.Certificate) -> datetime.datetime:
    """Return the moment from which a certificate is valid, in UTC."""
    return _utc(certificate, "not_valid_before")


def valid_until(certificate: x509.Certificate) -> datetime.datetime:
    """Return the moment at which a certificate expires, in UTC."""
    return _utc(certificate, "not_valid_after")


def _utc(certificate: x509.Certificate, name: str) -> datetime.datetime:
    """Return a time of a certificate; cryptography before 42 (Debian 12) returns it without a time zone."""
    aware: datetime.datetime | None = getattr(certificate, f"{name}_utc", None)
    naive: datetime.datetime = getattr(certificate, name) if aware is None else aware
    return naive.replace(tzinfo=datetime.timezone.utc)


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
