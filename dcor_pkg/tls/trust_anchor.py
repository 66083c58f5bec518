"""The trust anchor: the certificate that users' programs have to know so that they accept this server's."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import DIRECTORY, Pair

#: The certificates of the authorities that Mozilla's programs trust, and all usual ones (Debian's ca-certificates).
PUBLIC_AUTHORITIES = "/usr/share/ca-certificates/mozilla"
#: that of the admin's own authority, from which the certificate comes by ACME
ACME_AUTHORITY = f"{DIRECTORY}/acme-authority.pem"


def trust_anchor(host: Host, served: Pair) -> x509.Certificate | None:
    """Return what users have to trust, or None if their programs do already: an authority's that is publicly trusted.

    It is the served certificate if that is self-signed, and otherwise that of the authority at the end of its chain.
    Raises DcorError if there is no certificate yet.
    """
    chain = served_chain(host, served)
    end = _end(host, chain)
    return None if end is not chain[0] and _is_public(host, end) else end


def is_trusted(host: Host, served: Pair) -> bool:
    """Return whether the chain leads to an authority that this machine trusts. Raises DcorError without a certificate.

    A self-signed certificate has no authority, even where this machine knows it.
    """
    chain = served_chain(host, served)
    end = _end(host, chain)
    return end is not chain[0] and end in authorities(host)


def served_chain(host: Host, served: Pair) -> list[x509.Certificate]:
    """Return the served certificate, followed by those of its issuers. Raises DcorError if it cannot be read."""
    try:
        return x509_properties.load_chain(host.read(served.certificate) or "")
    except ValueError:
        text = _("{file} contains no certificate.")
        raise DcorError(text.format(file=served.certificate), "dcor-server converge") from None


def whole_chain(host: Host, served: Pair) -> list[x509.Certificate]:
    """Return the served chain with the authority's certificate at its end, which servers need not send.

    It is what a program needs that trusts nothing else. Raises DcorError if there is no certificate yet.
    """
    chain = served_chain(host, served)
    end = _end(host, chain)
    return chain if end in chain else [*chain, end]


def _end(host: Host, chain: list[x509.Certificate]) -> x509.Certificate:
    """Follow the issuers by their names, as the signatures were verified when the certificate was accepted.

    This machine's authorities come first: a server may send an authority's certificate in a form that another one has
    signed, for old clients.
    """
    end = chain[0]
    if end.issuer == end.subject:
        return end
    known = [*authorities(host), *chain[1:]]
    while end.issuer != end.subject:
        issuer = next((certificate for certificate in known if certificate.subject == end.issuer), None)
        if issuer is None:
            return end
        known.remove(issuer)  # two authorities may have signed each other's
        end = issuer
    return end


def authorities(host: Host) -> list[x509.Certificate]:
    """Return the authorities that this machine trusts, for its own certificate at least."""
    text = (host.read(AUTHORITIES) or "") + (host.read(ACME_AUTHORITY) or "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of authorities whose old certificates do not follow all rules
        return list(_readable(x509_properties.blocks(text)))


def _readable(blocks: Iterable[bytes]) -> Iterator[x509.Certificate]:
    for block in blocks:
        # An administrator may have added what OpenSSL ignores; it has signed no certificate that OpenSSL accepts.
        with contextlib.suppress(ValueError):
            yield x509.load_pem_x509_certificate(block)


def _is_public(host: Host, certificate: x509.Certificate) -> bool:
    text = certificate.public_bytes(Encoding.PEM).decode().strip()
    files = (f"{PUBLIC_AUTHORITIES}/{name}" for name in host.names(PUBLIC_AUTHORITIES))
    return any(text in (host.read(file) or "") for file in files)
