"""The certificate that this server signs itself."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dcor_pkg.answers import server_names
from dcor_pkg.answers.settings import SELF_SIGNED, Settings
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import private_key
from dcor_pkg.tls.pair import PAIRS

PAIR = PAIRS[SELF_SIGNED]
#: As long as in DCOR's manual (10 years): clients pin the certificate, so each new one has to reach every user.
DAYS = 3650
#: for clients whose clock is slow; where this machine's clock is wrong, the moment that is surely past counts
BACKDATED = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class SelfSignedCertificate:
    """A certificate whose commonName (read by dclab) and subjectAltName (checked by requests) are the host name.

    It is not an authority: clients trust this certificate alone, and nobody who has its key can sign one for another
    host that they would trust as well. An authority's, which former versions made, is served until it expires, because
    clients have pinned it. Each new certificate has the key of the one before, for clients that have pinned the key,
    unless others than root may have read it.
    """

    hostname: str
    #: further DNS names and IP addresses
    names: tuple[str, ...] = ()
    days: int = DAYS
    name: str = "certificate"

    def check(self, host: Host) -> str | None:
        return PAIR.check(host, self.hostname, *self.names)

    def apply(self, host: Host) -> None:
        """Make a new certificate; where only its file's access differs, it stays, since clients have pinned it."""
        text, key = PAIR.read(host)
        if PAIR.certificate_drift(host) is not None and PAIR.unfit(host, self.hostname, *self.names) is None:
            PAIR.write(host, text or "", key or "")
        else:
            self.renew(host, new_key=False)

    def renew(self, host: Host, *, new_key: bool) -> None:
        """Make a new certificate, with the same key unless that cannot be used or a new one is wanted."""
        text = private_key.new() if new_key else private_key.of(host, PAIR)
        certificate = self._sign(private_key.load(text)).public_bytes(serialization.Encoding.PEM)
        PAIR.write(host, certificate.decode(), text)

    def _sign(self, key: private_key.Key) -> x509.Certificate:
        """Return a certificate that names itself as its issuer, by its number.

        A client may still trust a former one of the same name: OpenSSL would take that one for the issuer, and reject
        the handshake (RFC 5280, section 4.2.1.1; X509_check_issued(3)).
        """
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.hostname)])
        now, number = clock.now(), x509.random_serial_number()
        own_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer = x509.AuthorityKeyIdentifier(own_id.digest, [x509.DirectoryName(name)], number)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(number)
            .not_valid_before(min(now - BACKDATED, clock.PACKAGED))
            .not_valid_after(max(now, clock.PACKAGED) + datetime.timedelta(days=self.days))
            .add_extension(x509.SubjectAlternativeName(self._alternatives()), critical=False)
            .add_extension(own_id, critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_signs_handshakes(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )

    def _alternatives(self) -> list[x509.GeneralName]:
        answer = " ".join(dict.fromkeys((self.hostname, *self.names)))
        dns = [x509.DNSName(name) for name in server_names.dns_names(answer)]
        return [*dns, *(x509.IPAddress(address) for address in server_names.addresses(answer))]


def step(settings: Settings) -> SelfSignedCertificate:
    """Return the step that provides the certificate."""
    names = tuple(settings.certificate_names.split())
    return SelfSignedCertificate(settings.hostname, names, int(settings.certificate_days))


def _signs_handshakes() -> x509.KeyUsage:
    """Return the usage of a key that signs TLS handshakes, and neither certificates nor anything else."""
    usages = ("key_cert_sign", "crl_sign", "content_commitment", "key_encipherment", "data_encipherment")
    others = dict.fromkeys((*usages, "key_agreement", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=True, **others)
