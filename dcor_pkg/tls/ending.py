"""Whether the certificate ends soon, or lacks a part of its chain: what an administrator should know in time."""

from __future__ import annotations

from cryptography import x509

from dcor_pkg.answers.settings import ACME, OWN, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.tls import acme, x509_properties
from dcor_pkg.tls.chain import missing_issuer
from dcor_pkg.tls.pair import PAIRS, RENEW_BEFORE, renew_before
from dcor_pkg.tls.trust_anchor import served_chain

#: days before the end at which there is a warning
WARNINGS = (60, 30, 14, 3)
RENEW = "dcor-server certificate renew"


def notices(host: Host, settings: Settings) -> list[Notice]:
    """Return that the certificate ends soon, or that its chain is incomplete."""
    try:
        chain = served_chain(host, PAIRS[settings.certificate])
    except DcorError:
        return []  # the step of the certificate reports it
    file = PAIRS[settings.certificate].certificate
    found = acme.notices(host, settings)
    if due(settings, chain[0]) is not None:
        found.append(Notice(file, end(chain[0]), advice(settings)))
    if (missing := missing_issuer(host, chain)) is not None:
        message = f"has an incomplete chain, so that clients may reject it: the certificate of {missing} is missing"
        own = f"Append it to {settings.certificate_file}, then: {RENEW}"
        found.append(Notice(file, message, str(acme.OWN_AUTHORITY) if settings.certificate == ACME else own))
    return found


def due(settings: Settings, certificate: x509.Certificate) -> int | None:
    """Return the smallest one of WARNINGS that applies; none while the clock is certainly wrong.

    Of a certificate that an authority renews by itself, those count at which it should have done so.
    """
    left = x509_properties.valid_until(certificate) - clock.now()
    most = renew_before(certificate).days if settings.certificate == ACME else max(WARNINGS) + 1
    warnings = (days for days in WARNINGS if left.days < days < most)
    return min(warnings, default=None) if clock.is_possible() else None


def end(certificate: x509.Certificate) -> str:
    """Return when a certificate ends, as a predicate."""
    moment = x509_properties.valid_until(certificate)
    left = (moment - clock.now()).days
    return f"ends in {left} days, on {moment:%Y-%m-%d}" if left >= 0 else f"has expired on {moment:%Y-%m-%d}"


def advice(settings: Settings) -> str:
    """Return what to do about it."""
    if settings.certificate == OWN:
        return (
            f"Renew {settings.certificate_file}, then: {RENEW}. "
            "For other files: dcor-server certificate import CERT KEY"
        )
    if settings.certificate == ACME:
        return f"{settings.acme_directory} should have renewed it by now. To see why it has not: {RENEW}"
    return (
        f"It is made anew by itself {RENEW_BEFORE.days} days before the end, and users' programs have to trust the new "
        f"one. At a time of your choice: {RENEW}"
    )
