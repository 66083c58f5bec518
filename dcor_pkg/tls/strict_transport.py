"""HSTS (RFC 6797): browsers use this server by TLS only, and let nobody ignore a certificate that is not trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dcor_pkg.machine.host import Host
from dcor_pkg.tls import nginx_lines
from dcor_pkg.tls.nginx_lines import NginxLines
from dcor_pkg.tls.trust_anchor import is_trusted

LINES = "strict-transport"
FILE = nginx_lines.path(LINES)
#: Mozilla's figure, two years
TEXT = """\
# Written by dcor-server, because this machine's authorities trust the certificate.
add_header Strict-Transport-Security "max-age=63072000" always;
"""


@dataclass(frozen=True)
class StrictTransport(NginxLines):
    """A file for nginx, there only where this machine's authorities trust the served certificate.

    With another one, such as a self-signed one of the administrator's, it would lock users out for two years.
    """

    name: str = "strict transport security"
    file: ClassVar[str] = FILE
    text: ClassVar[str] = TEXT

    def allowed(self, host: Host) -> bool:
        return is_trusted(host, self.served)
