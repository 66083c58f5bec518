"""Is there anybody at an address: name, port, TLS."""

from __future__ import annotations

import socket
import ssl

from dcor_pkg.errors import DcorError
from dcor_pkg.services.endpoint import Endpoint

#: seconds
PATIENCE = 5.0
TRUST = "Put its authority into /usr/local/share/ca-certificates/NAME.crt, and run update-ca-certificates."


class Unusable(DcorError):
    """A service elsewhere cannot be used: half a sentence that says why, and what to do about it."""


def reach(endpoint: Endpoint) -> None:
    """Connect, with TLS where the address says so. Raises Unusable."""
    place = f"{endpoint.host} port {endpoint.port}"
    try:
        connection = socket.create_connection((endpoint.host, endpoint.port), timeout=PATIENCE)
    except socket.gaierror as error:
        raise Unusable(f"the name {endpoint.host} is not known here ({error.strerror})") from None
    except TimeoutError:
        reason = f"{place} does not answer within {PATIENCE:.0f} s"
        raise Unusable(reason, "Does a firewall stand in between?") from None
    except OSError as error:
        raise Unusable(f"{place} cannot be reached: {error.strerror or error}") from None
    with connection:
        if endpoint.tls:
            _change_to_tls(connection, endpoint.host, place)


def _change_to_tls(connection: socket.socket, host: str, place: str) -> None:
    try:
        ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        raise Unusable(f"the certificate of {place} is not trusted: {error.verify_message}", TRUST) from None
    except OSError as error:  # without TLS some answer in their own language, some close, some wait for more
        raise Unusable(f"{place} does not speak TLS ({error})") from None
