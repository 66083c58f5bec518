"""Mail that the certificate ends soon, once for each of `ending.WARNINGS`, and the fingerprint of a new one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from dcor_pkg.answers.settings import SELF_SIGNED
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.status import fingerprint
from dcor_pkg.tls import ending, x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.trust_anchor import served_chain
from dcor_pkg.verbs import mail

#: what the last mail was about
TOLD = f"{mail.SENT}/certificate.json"


@dataclass(frozen=True)
class Told:
    """Of which certificate an administrator knows, and the last one of WARNINGS that was mailed."""

    sha256: str
    warning: int | None = None


def report(host: Host) -> None:
    """Mail what an administrator does not know yet of the certificate. Raises DcorError when the relay rejects it."""
    settings = settings_file.load(host)
    if not settings.mail_relay:
        return
    first = served_chain(host, PAIRS[settings.certificate])[0]
    before, now = _read(host), Told(x509_properties.fingerprint(first), ending.due(settings, first))
    is_new = before is not None and before.sha256 != now.sha256
    if is_new and settings.certificate == SELF_SIGNED:
        text = fingerprint.to_tell(settings, fingerprint.fingerprint(host, settings))
        mail.send(settings, "the certificate has been made anew", f"{text}\n")
    last = before.warning if before is not None and not is_new else None
    if now.warning is not None and (last is None or now.warning < last):
        text = f"The certificate of {settings.hostname} {ending.end(first)}.\n{ending.advice(settings)}\n"
        mail.send(settings, f"the certificate {ending.end(first)}", text)
    elif last is not None:
        now = Told(now.sha256, last)  # a clock that goes back repeats no mail
    host.write(TOLD, json.dumps(asdict(now)), Access(0o600))


def _read(host: Host) -> Told | None:
    """Return what was told; None where no file says it, as before the first run."""
    try:
        return Told(**json.loads(host.read(TOLD) or ""))
    except (ValueError, TypeError):
        return None
