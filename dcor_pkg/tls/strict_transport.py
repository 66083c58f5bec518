"""HSTS (RFC 6797): browsers use this server by TLS only, and let nobody ignore a certificate that is not trusted."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import nginx_lines
from dcor_pkg.tls.pair import Pair
from dcor_pkg.tls.trust_anchor import is_trusted

LINES = "strict-transport"
FILE = nginx_lines.path(LINES)
#: Mozilla's figure, two years
TEXT = """\
# Written by dcor-server, because this machine's authorities trust the certificate.
add_header Strict-Transport-Security "max-age=63072000" always;
"""


@dataclass(frozen=True)
class StrictTransport:
    """A file for nginx, there only where this machine's authorities trust the served certificate.

    With another one, such as a self-signed one of the administrator's, it would lock users out for two years.
    """

    served: Pair
    name: str = "strict transport security"

    def check(self, host: Host) -> str | None:
        return nginx_lines.check(host, LINES, self._text(host))

    def apply(self, host: Host) -> None:
        nginx_lines.apply(host, LINES, self._text(host))

    def _text(self, host: Host) -> str | None:
        try:
            return TEXT if is_trusted(host, self.served) else None
        except DcorError:
            return None  # the step of the certificate reports it
