"""OCSP stapling: nginx brings proof that the certificate is not revoked, so that no client has to ask its authority."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import nginx_lines, x509_properties
from dcor_pkg.tls.pair import Pair
from dcor_pkg.tls.trust_anchor import served_chain
from dcor_pkg.tls.trust_bundle import BUNDLE

LINES = "stapling"
FILE = nginx_lines.path(LINES)
#: nginx asks by plain HTTP only, and warns at each start of another address; an answer is signed (RFC 6960, A.1).
SCHEME = "http://"
#: A responder's own certificate may be signed by an authority that is not in the served chain.
TEXT = f"""\
# Written by dcor-server, because the certificate names a responder of OCSP.
ssl_stapling on;
ssl_stapling_verify on;
ssl_trusted_certificate {BUNDLE};
"""


@dataclass(frozen=True)
class Stapling:
    """A file for nginx, there only where the served certificate names a responder that nginx can ask."""

    served: Pair
    name: str = "OCSP stapling"

    def check(self, host: Host) -> str | None:
        return nginx_lines.check(host, LINES, self._text(host))

    def apply(self, host: Host) -> None:
        nginx_lines.apply(host, LINES, self._text(host))

    def _text(self, host: Host) -> str | None:
        try:
            address = x509_properties.ocsp_responder(served_chain(host, self.served)[0])
        except DcorError:
            return None  # the step of the certificate reports it
        return TEXT if address is not None and address.lower().startswith(SCHEME) else None


def look_up_again(host: Host) -> None:
    """Let nginx look up the responder's name again, which it does when it loads its configuration, and never later.

    The responder may have moved, or the name could not be resolved when the machine booted: then nothing is stapled.
    systemd would reload nothing for the unit of the nightly run, which lacks CAP_SYS_ADMIN. Raises DcorError.
    """
    if host.exists(FILE):
        host.run("nginx", "-q", "-s", "reload")
