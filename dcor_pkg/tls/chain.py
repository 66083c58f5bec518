"""Whether a served chain has all certificates that clients need, and is trusted."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls.trust_anchor import authorities


def missing_issuer(host: Host, chain: Sequence[x509.Certificate]) -> str | None:
    """Return the name of the issuer whose certificate a chain lacks, or None where it is complete.

    A chain may leave out a root that this machine trusts, since clients have it. An intermediate authority's
    certificate they may lack, even where this machine has it. Signatures were verified when the chain was accepted.
    """
    end = _end(chain)
    if end.issuer == end.subject:
        return None
    roots = [it.subject for it in authorities(host) if it.issuer == it.subject]
    return None if end.issuer in roots else end.issuer.rfc4514_string()


def _end(chain: Sequence[x509.Certificate]) -> x509.Certificate:
    end, others = chain[0], list(chain[1:])
    while end.issuer != end.subject:
        issuer = next((it for it in others if it.subject == end.issuer), None)
        if issuer is None:
            break
        others.remove(issuer)
        end = issuer
    return end


def distrust(host: Host, text: str, file: str = AUTHORITIES) -> str | None:
    """Return why OpenSSL does not trust a chain by the authorities in a file, in its own words, or None.

    See openssl-verify(1).
    """
    try:
        with host.private_file(text) as path:
            known, chain = str(host.path(file)), str(host.path(path))
            host.run("openssl", "verify", "-purpose", "sslserver", "-CAfile", known, "-untrusted", chain, chain)
    except CommandFailed as error:
        lines = [line for line in error.hint.splitlines() if line.startswith("error ")]
        return lines[0].partition(": ")[2] if lines else error.hint
    return None
