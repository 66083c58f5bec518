"""A certificate authority for tests, and keys in PEM."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from dcor_pkg.machine import clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

NAME = "dcor.example.org"
DAY = datetime.timedelta(days=1)


@dataclass
class Authority:
    """A root authority, or one whose certificate `signer` has signed."""

    name: str
    signer: Authority | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> str:
        """The authority's own certificate."""
        return self.sign(self.name, self.key, signer=self.signer or self, is_authority=True)

    def issue(
        self, key: ec.EllipticCurvePrivateKey, name: str = NAME, begin: int = -1, end: int = 90, responder: str = ""
    ) -> str:
        """Return a server's certificate, valid from `begin` to `end` days from now."""
        return self.sign(name, key, signer=self, begin=begin, end=end, responder=responder)

    @staticmethod
    def sign(  # noqa: PLR0913 (options, by keyword alone)
        name: str,
        key: ec.EllipticCurvePrivateKey,
        signer: Authority,
        *,
        begin: int = -1,
        end: int = 90,
        is_authority: bool = False,
        responder: str = "",
    ) -> str:
        """Return a certificate in PEM, which may name a responder of OCSP."""
        now = clock.now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509_name(name))
            .issuer_name(x509_name(signer.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begin * DAY)
            .not_valid_after(now + end * DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        if responder:
            place = x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(responder)
            )
            builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
        certificate = builder.sign(signer.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM).decode()


def x509_name(text: str) -> x509.Name:
    """Return a name that consists of a commonName."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(key: PrivateKeyTypes, passphrase: bytes = b"") -> str:
    """Return a private key in PEM, encrypted if there is a passphrase."""
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
ROOT = Authority("root.example.org")
INTERMEDIATE = Authority("intermediate.example.org", ROOT)
UNTRUSTED = Authority("untrusted.example.org")
CHAIN = INTERMEDIATE.issue(KEY) + INTERMEDIATE.pem
