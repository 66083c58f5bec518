"""How certificates are verified where the programs that rely on them do the same."""

from __future__ import annotations

import ssl


def verifying(authorities: str | None = None) -> ssl.SSLContext:
    """Return what verifies as curl, certbot and browsers do, with the authorities of a file or of the machine.

    From Python 3.13 on, the default refuses authorities whose certificates lack an extension that RFC 5280 asks for,
    and those of clinics may be old (Python's documentation, "ssl.create_default_context").
    """
    context = ssl.create_default_context(cafile=authorities)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
