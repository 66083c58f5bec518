"""The certificate that this server signs for itself."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dcor_pkg.answers.settings import SELF_SIGNED
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import certificate

PAIR = certificate.PAIRS[SELF_SIGNED]
#: As long as the manual's own (10 years): clients pin it, so each change reaches every user.
VALID = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class SelfSignedCertificate:
    """A certificate whose commonName (read by dclab) and subjectAltName (checked by requests) are the host name."""

    hostname: str
    name: str = "certificate"

    def check(self, host: Host) -> str | None:
        return certificate.fault(host, PAIR, self.hostname)

    def apply(self, host: Host) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        pending.request(host, certificate.RELOAD)
        host.make_directory(secrets.DIRECTORY, secrets.DIRECTORY_ACCESS)
        host.write(PAIR.key, _pem(key), secrets.ACCESS)
        signed = _sign(self.hostname, key).public_bytes(serialization.Encoding.PEM).decode()
        host.write(PAIR.certificate, signed, certificate.PUBLIC)


def _sign(hostname: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname)])
    now = certificate.now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
