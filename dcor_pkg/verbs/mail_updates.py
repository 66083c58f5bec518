"""`dcor-server report-updates`: mail the administrator what unattended-upgrades has done since the last time.

It hands its mail only to /usr/sbin/sendmail or /usr/bin/mail (unattended-upgrades 2.9.1, send_summary_mail), and most
servers have neither, while our setting mail-relay is enough for us. Where one is installed, nothing is sent here.
"""

from __future__ import annotations

import re

from dcor_pkg.answers.settings import Settings
from dcor_pkg.answers.validators import LOCAL
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine import packages, paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.postgresql import versions as postgresql_versions
from dcor_pkg.verbs import mail
from dcor_pkg.verbs.verb import Verb, says

PROGRAMS = ("/usr/sbin/sendmail", "/usr/bin/mail")
#: what is mailed: packages that were upgraded or kept back, and what went wrong
NEWS = re.compile(r"Packages that will be upgraded: \S| (?:WARNING|ERROR) |Package \S+ (?:is|has) ")
#: holds the number of characters of the log that were read before
READ = f"{paths.STATE}/updates-mailed"
NOTHING = "unattended-upgrades has done nothing since the last mail."


def report(host: Host) -> str:
    """Mail what is new in the log and return what was done. Raises DcorError when the relay rejects it."""
    settings = settings_file.load(host)
    if not settings.mail_relay:
        return f"No mail about updates was sent, because the setting mail-relay is empty. {mail.TO_CHANGE}"
    program = next(filter(host.exists, PROGRAMS), None)
    if program is not None:
        return f"unattended-upgrades sends its mail by {program}."
    text = host.read(packages.UNATTENDED_LOG) or ""
    new = _since(text, _read_before(host))
    if NEWS.search(new):
        mail.send(settings, "updates were installed", "\n".join([new, *_unsupported(host, settings)]))
    host.write(READ, f"{len(text)}\n", Access(0o600))
    return f"A mail about updates was sent to {settings.email}." if NEWS.search(new) else NOTHING


def _read_before(host: Host) -> int:
    """Return how many characters were read; none where the file does not say it, so that nothing is left out."""
    before = (host.read(READ) or "").strip()
    return int(before) if before.isdecimal() else 0


def _unsupported(host: Host, settings: Settings) -> list[str]:
    """Return what no update comes for any more, which is easily missed in a mail about updates that came."""
    return [str(it) for it in postgresql_versions.notices(host)] if settings.database == LOCAL else []


def _since(text: str, before: int) -> str:
    """Return what was appended; all of a log that is shorter than before, since it was rotated."""
    return text[before:] if len(text) >= before else text


VERB = Verb(
    "report-updates",
    "mail the administrator what unattended-upgrades has done, as systemd does",
    says(lambda host, _: report(host)),
)
