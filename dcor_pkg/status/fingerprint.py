"""The fingerprint that an administrator has to tell users, so that they trust the right certificate."""

from __future__ import annotations

from collections.abc import Iterable

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.nginx.trust_page import TrustPage
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.acme import IssuedCertificate
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.trust_anchor import trust_anchor


def fingerprint(host: Host, settings: Settings) -> str | None:
    """Return the SHA-256 fingerprint of the trust anchor, or None if users have to trust nothing. Raises DcorError."""
    anchor = trust_anchor(host, PAIRS[settings.certificate])
    return None if anchor is None else x509_properties.fingerprint(anchor)


def news(host: Host, settings: Settings, outcomes: Iterable[Outcome]) -> str | None:
    """Return what to tell users if a run has changed what they have to trust, or None."""
    steps = (TrustPage.name, IssuedCertificate.name)
    changed = any(outcome.step in steps and outcome.result is Result.CHANGED for outcome in outcomes)
    told = fingerprint(host, settings) if changed else None
    return told and to_tell(settings, told)


def to_tell(settings: Settings, told: str | None) -> str:
    """Return what users have to trust, by its fingerprint, in a sentence."""
    return _(
        "Users' programs have to trust this server: {address} shows how. Tell users the SHA-256 fingerprint in another "
        "way: {fingerprint}"
    ).format(address=f"https://{settings.hostname}/trust", fingerprint=told)
