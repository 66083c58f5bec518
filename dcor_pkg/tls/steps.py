"""The steps of TLS: the certificate that nginx serves, and what programs of this server trust."""

from __future__ import annotations

from dcor_pkg.answers.settings import OWN, Settings
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.facts import Facts
from dcor_pkg.tls import own_certificate, self_signed
from dcor_pkg.tls.own_certificate import OwnCertificate
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.stapling import Stapling
from dcor_pkg.tls.strict_transport import StrictTransport
from dcor_pkg.tls.trust_bundle import TrustBundle


def steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that provide the certificate; no fact of the machine matters for it."""
    served = PAIRS[settings.certificate]
    # The stapling refers to the bundle.
    return (_certificate(settings), TrustBundle(served), Stapling(served), StrictTransport(served))


def _certificate(settings: Settings) -> Step:
    if settings.certificate == OWN:
        return OwnCertificate(own_certificate.source(settings), settings.hostname)
    return self_signed.step(settings)
