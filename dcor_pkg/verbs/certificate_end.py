"""Warn of the end of the certificate in time, by mail and in `status`, and mail the fingerprint of a new one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from cryptography import x509

from dcor_pkg.answers.settings import OWN, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.chain import missing_issuer
from dcor_pkg.tls.pair import PAIRS, RENEW_BEFORE
from dcor_pkg.tls.trust_anchor import served_chain
from dcor_pkg.verbs import fingerprint, mail

#: So many days before the end there is a mail, once each.
WARNINGS = (60, 30, 14, 3)
RENEW = "dcor-server certificate renew"
#: what the last mail was about
TOLD = f"{mail.SENT}/certificate.json"


@dataclass(frozen=True)
class Told:
    """Of which certificate an administrator knows, and the last one of WARNINGS that was mailed."""

    sha256: str
    warning: int | None = None


def notices(host: Host, settings: Settings) -> list[Notice]:
    """Return that the certificate ends soon, or that its chain is incomplete."""
    try:
        chain = served_chain(host, PAIRS[settings.certificate])
    except DcorError:
        return []  # the step of the certificate reports it
    file = PAIRS[settings.certificate].certificate
    found = [] if _due(chain[0]) is None else [Notice(file, _end(chain[0]), _advice(settings))]
    if (missing := missing_issuer(host, chain)) is not None:
        message = f"has an incomplete chain, so that clients may reject it: the certificate of {missing} is missing"
        found.append(Notice(file, message, f"Append it to {settings.certificate_file}, then: {RENEW}"))
    return found


def report(host: Host) -> None:
    """Mail what an administrator does not know yet of the certificate. Raises DcorError when the relay rejects it."""
    settings = settings_file.load(host)
    if not settings.mail_relay:
        return
    first = served_chain(host, PAIRS[settings.certificate])[0]
    before, now = _read(host), Told(x509_properties.fingerprint(first), _due(first))
    is_new = before is not None and before.sha256 != now.sha256
    if is_new and settings.certificate != OWN:
        text = fingerprint.to_tell(settings, fingerprint.fingerprint(host, settings))
        mail.send(settings, "the certificate has been made anew", f"{text}\n")
    last = before.warning if before is not None and not is_new else None
    if now.warning is not None and (last is None or now.warning < last):
        text = f"The certificate of {settings.hostname} {_end(first)}.\n{_advice(settings)}\n"
        mail.send(settings, f"the certificate {_end(first)}", text)
    elif last is not None:
        now = Told(now.sha256, last)  # a clock that goes back repeats no mail
    host.write(TOLD, json.dumps(asdict(now)), Access(0o600))


def _due(certificate: x509.Certificate) -> int | None:
    """Return the smallest one of WARNINGS that applies; none while the clock is certainly wrong."""
    left = x509_properties.valid_until(certificate) - clock.now()
    return min((days for days in WARNINGS if left.days < days), default=None) if clock.is_possible() else None


def _end(certificate: x509.Certificate) -> str:
    end = x509_properties.valid_until(certificate)
    left = (end - clock.now()).days
    return f"ends in {left} days, on {end:%Y-%m-%d}" if left >= 0 else f"has expired on {end:%Y-%m-%d}"


def _advice(settings: Settings) -> str:
    if settings.certificate == OWN:
        return (
            f"Renew {settings.certificate_file}, then: {RENEW}. "
            "For other files: dcor-server certificate import CERT KEY"
        )
    return (
        f"It is made anew by itself {RENEW_BEFORE.days} days before the end, and users' programs have to trust the new "
        f"one. At a time of your choice: {RENEW}"
    )


def _read(host: Host) -> Told | None:
    """Return what was told; None where no file says it, as before the first run."""
    try:
        return Told(**json.loads(host.read(TOLD) or ""))
    except (ValueError, TypeError):
        return None
