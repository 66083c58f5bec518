"""Reach the site as its users do: by its host name and over TLS, but on this machine, whatever the name resolves to."""

from __future__ import annotations

import http.client
import socket
import ssl

from dcor_pkg.machine import clock, tls_context
from dcor_pkg.tls.trust_bundle import BUNDLE

#: for a page or a search: CKAN may have to load first
TIMEOUT_SECONDS = 60.0
#: X509_V_ERR_CERT_NOT_YET_VALID (X509_STORE_CTX_get_error(3))
NOT_YET_VALID = 9


class Connection(http.client.HTTPSConnection):
    """A connection to nginx on this machine."""

    def connect(self) -> None:
        """Connect over TLS and verify the certificate for the host name. Raises OSError, also for a wrong clock."""
        context = tls_context.verifying(BUNDLE)
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)
        try:
            self.sock = context.wrap_socket(connection, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code == NOT_YET_VALID and not clock.is_possible():
                raise OSError(f"{clock.WRONG}. {clock.HINT}") from None
            raise
