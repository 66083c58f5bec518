"""What an access token says of the server: its name, and the certificates that programs need to trust it."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.trust_anchor import whole_chain


@dataclass(frozen=True)
class Served:
    """The host name, and the certificates in PEM: the server's own, its issuers', the authority's."""

    hostname: str
    certificates: tuple[str, ...]
    #: of the last one, which is what has to be trusted; a renewal by the same authority does not change it
    fingerprint: str


def read(host: Host, settings: Settings) -> Served:
    """Return what the server has now. Raises DcorError if there is no certificate yet."""
    chain = whole_chain(host, PAIRS[settings.certificate])
    texts = tuple(it.public_bytes(Encoding.PEM).decode() for it in chain)
    return Served(settings.hostname, texts, x509_properties.fingerprint(chain[-1]))


def require_readable(host: Host, settings: Settings) -> Served:
    """Return what the server has now. Raises DcorError where programs could not read its name from the certificate.

    dclab and DCOR-Aid take the commonName of the first one for it (fmt_dcor.access_token.get_hostname).
    """
    path = PAIRS[settings.certificate].certificate
    found = x509_properties.common_name(whole_chain(host, PAIRS[settings.certificate])[0])
    if found != settings.hostname:
        text = _(
            "The commonName of the certificate in {file} is {found}, and programs that open an access token take it for "
            "the server's name, which is {name}."
        )
        raise DcorError(
            text.format(file=path, found=found or _("empty"), name=settings.hostname),
            _(
                "Have a certificate issued with the commonName {name}; dcor-server set certificate=self-signed makes one."
            ).format(name=settings.hostname),
        )
    return read(host, settings)
