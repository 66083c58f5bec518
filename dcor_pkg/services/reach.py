"""Connect to a service: its name, its port, TLS."""

from __future__ import annotations

import socket
import ssl

from dcor_pkg.errors import DcorError
from dcor_pkg.services.endpoint import Endpoint

TIMEOUT_SECONDS = 5.0
TRUST = "Put its authority into /usr/local/share/ca-certificates/NAME.crt, and run update-ca-certificates."


class UnusableService(DcorError):
    """An external service cannot be used: why, in half a sentence, and what to do."""


def reach(endpoint: Endpoint) -> None:
    """Connect, with TLS where the address says so. Raises UnusableService."""
    place = f"{endpoint.host} port {endpoint.port}"
    try:
        connection = socket.create_connection((endpoint.host, endpoint.port), timeout=TIMEOUT_SECONDS)
    except socket.gaierror as error:
        raise UnusableService(f"the name {endpoint.host} cannot be resolved here ({error.strerror})") from None
    except TimeoutError:
        problem = f"{place} does not answer within {TIMEOUT_SECONDS:.0f} s"
        raise UnusableService(problem, "Is there a firewall in between?") from None
    except OSError as error:
        raise UnusableService(f"{place} cannot be reached: {error.strerror or error}") from None
    with connection:
        if endpoint.tls:
            _start_tls(connection, endpoint.host, place)


def _start_tls(connection: socket.socket, host: str, place: str) -> None:
    try:
        ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLCertVerificationError as error:
        raise UnusableService(f"the certificate of {place} is not trusted: {error.verify_message}", TRUST) from None
    except OSError as error:  # servers without TLS answer in their own protocol, close the connection, or wait
        raise UnusableService(f"{place} does not speak TLS ({error})") from None
