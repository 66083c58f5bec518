"""The certificate, with the days that it is still valid, and what users have to trust."""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Host
from dcor_pkg.status.fingerprint import fingerprint
from dcor_pkg.status.part import Part
from dcor_pkg.tls import acme, x509_properties
from dcor_pkg.tls.pair import PAIRS


def certificate(host: Host, settings: Settings) -> Part:
    """Return what is wrong with the certificate, or until when it is valid."""
    pair = PAIRS[settings.certificate]
    problem = acme.problem_of(host, settings, settings.hostname)
    if problem is not None:
        return Part("certificate", problem)
    until = x509_properties.valid_until(x509_properties.load_chain(host.read(pair.certificate) or "")[0])
    days = (until - clock.now()).days
    return Part(
        "certificate",
        None,
        f"{settings.certificate}, until {until:%Y-%m-%d} ({days} days)",
        numbers={"certificate_days_left": days},
    )


def trust(host: Host, settings: Settings) -> Part:
    """Return what an administrator tells users, who compare it as the page /trust says. Raises DcorError."""
    told = fingerprint(host, settings)
    trusted = "publicly trusted, so users have nothing to do"
    return Part("trust", None, f"https://{settings.hostname}/trust, SHA-256 {told}" if told else trusted)
