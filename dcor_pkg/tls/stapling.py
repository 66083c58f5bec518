"""OCSP stapling: nginx brings proof that the certificate is not revoked, so that no client has to ask its authority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dcor_pkg.machine.host import Host
from dcor_pkg.tls import nginx_lines, x509_properties
from dcor_pkg.tls.nginx_lines import NginxLines
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
class Stapling(NginxLines):
    """A file for nginx, there only where the served certificate names a responder that nginx can ask."""

    name: str = "OCSP stapling"
    file: ClassVar[str] = FILE
    text: ClassVar[str] = TEXT

    def allowed(self, host: Host) -> bool:
        address = x509_properties.ocsp_responder(served_chain(host, self.served)[0])
        return address is not None and address.lower().startswith(SCHEME)


def look_up_again(host: Host) -> None:
    """Let nginx look up the responder's name again, which it does when it loads its configuration, and never later.

    The responder may have moved, or the name could not be resolved when the machine booted: then nothing is stapled.
    systemd would reload nothing for the unit of the nightly run, which lacks CAP_SYS_ADMIN. Raises DcorError.
    """
    if host.exists(FILE):
        host.run("nginx", "-q", "-s", "reload")
