"""The steps of TLS: the certificate that nginx serves, and what programs of this server trust."""

from __future__ import annotations

from dcor_pkg.answers.settings import ACME, OWN, SELF_SIGNED, Settings
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.facts import Facts
from dcor_pkg.tls import acme, own_certificate, self_signed
from dcor_pkg.tls.acme_authority import AcmeAuthority
from dcor_pkg.tls.own_certificate import OwnCertificate
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.stapling import Stapling
from dcor_pkg.tls.strict_transport import StrictTransport
from dcor_pkg.tls.trust_anchor import ACME_AUTHORITY
from dcor_pkg.tls.trust_bundle import TrustBundle


def steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that provide the certificate; no fact of the machine matters for it."""
    # The stapling refers to the bundle.
    return (*_certificate(settings), _trust_bundle(settings), *nginx_steps(settings))


def nginx_steps(settings: Settings) -> tuple[Step, ...]:
    """Return the steps of what nginx does with the certificate that is served."""
    served = PAIRS[settings.certificate]
    return Stapling(served), StrictTransport(served)


def _trust_bundle(settings: Settings) -> TrustBundle:
    """Return the step that lets programs trust the certificate.

    With acme that is the self-signed one that stands in for it, and the authority: programs are started anew where the
    bundle changes, and so they are not for the certificate's first issue or for a renewal.
    """
    if settings.certificate != ACME:
        return TrustBundle(PAIRS[settings.certificate])
    return TrustBundle(PAIRS[SELF_SIGNED], ACME_AUTHORITY if settings.acme_authority else "")


def _certificate(settings: Settings) -> tuple[Step, ...]:
    if settings.certificate == OWN:
        return (OwnCertificate(own_certificate.source(settings), settings.hostname),)
    self_signed_one = self_signed.step(settings)
    if settings.certificate == ACME:
        return AcmeAuthority(settings.acme_authority), acme.step(settings, self_signed_one)
    return (self_signed_one,)
