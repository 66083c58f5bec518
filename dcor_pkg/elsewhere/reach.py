"""Is there anybody at an address: name, port, TLS."""

from __future__ import annotations

import socket
import ssl

from dcor_pkg.errors import DcorError
from dcor_pkg.services import Endpoint

#: seconds
PATIENCE = 5.0
TRUST = "Put its authority into /usr/local/share/ca-certificates/NAME.crt, and run update-ca-certificates."


class Unusable(DcorError):
    """A service elsewhere cannot be used: half a sentence that says why, and what to do about it."""


def reach(endpoint: Endpoint) -> None:
    """Connect, with TLS where the address says so. Raises Unusable."""
    place = f"{endpoint.host} port {endpoint.port}"
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=PATIENCE) as connection:
            if endpoint.tls:
                ssl.create_default_context().wrap_socket(connection, server_hostname=endpoint.host).close()
    except socket.gaierror as error:
        raise Unusable(f"the name {endpoint.host} is not known here ({error.strerror})") from None
    except TimeoutError:
        raise Unusable(
            f"{place} does not answer within {PATIENCE:.0f} s", "Does a firewall stand in between?"
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise Unusable(f"the certificate of {place} is not trusted: {error.verify_message}", TRUST) from None
    except ssl.SSLError as error:
        raise Unusable(f"{place} does not speak TLS ({error.reason})") from None
    except OSError as error:
        raise Unusable(f"{place} cannot be reached: {error.strerror or error}") from None
