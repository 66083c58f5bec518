"""`dcor-server report-failure`: mail the administrator that a unit has failed, once a day at most for each unit.

Nothing is sent where the settings name no mail relay.
"""

from __future__ import annotations

import contextlib
import email.utils
import smtplib
import ssl
import time
from collections.abc import Iterator
from email.message import EmailMessage

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.language import _
from dcor_pkg.verbs.verb import JSON, Verb, argument, says

#: of the unit's journal, sent in the mail
LINES = 50
TIMEOUT_SECONDS = 60.0
#: holds a file for each unit, with the time of the last mail in seconds since 1970
SENT = f"{paths.STATE}/mailed"
#: between two mails about one unit; less than a day, so that the next run of a daily timer is mailed again
INTERVAL_HOURS = 20
TO_CHANGE = "dcor-server set mail-relay=HOST[:PORT] changes it."


def report_failure(host: Host, unit: str) -> str:
    """Mail the last lines of a unit's journal and return what was done. Raises DcorError when the relay rejects it."""
    settings = settings_file.load(host)
    if not settings.mail_relay:
        return f"No mail about {unit} was sent, because the setting mail-relay is empty. {TO_CHANGE}"
    sent = f"{SENT}/{unit}"
    if 0 <= time.time() - _when(host, sent) < INTERVAL_HOURS * 3600:
        return f"No mail about {unit} was sent: {settings.email} got one within the last {INTERVAL_HOURS} hours."
    send(settings, f"{unit} has failed", _text(host, unit, settings))
    host.write(sent, f"{time.time()}\n", Access(0o600))
    return f"A mail about {unit} was sent to {settings.email} through {settings.mail_relay}."


def _when(host: Host, sent: str) -> float:
    """Return when the last mail was sent, in seconds since 1970; 0 where no file says it."""
    try:
        return float(host.read(sent) or 0)
    except ValueError:
        return 0.0


def _text(host: Host, unit: str, settings: Settings) -> str:
    journal = host.run("journalctl", "--no-pager", "--output=cat", f"--lines={LINES}", f"--unit={unit}")
    return (
        f"The unit {unit} on {settings.hostname} has failed. The last lines of its journal:\n\n{journal}\n"
        f"`dcor-server status` on {settings.hostname} shows the state of the server.\n"
    )


def send(settings: Settings, subject: str, text: str, recipient: str = "") -> None:
    """Hand a mail, by default to the administrator, to the relay. Raises DcorError."""
    recipient = recipient or settings.email
    try:
        with session(settings, TIMEOUT_SECONDS) as relay:
            relay.send_message(compose(settings, recipient, subject, text))
    except (OSError, smtplib.SMTPException) as error:
        raise DcorError(
            _("The mail relay {relay} did not accept a mail to {address}: {error}").format(
                relay=settings.mail_relay, address=recipient, error=error
            ),
            f"Check the setting mail-relay. {TO_CHANGE}",
        ) from None


def compose(settings: Settings, recipient: str, subject: str, text: str) -> EmailMessage:
    """Return a mail of this server."""
    message = EmailMessage()
    message["From"], message["To"] = settings.email, recipient
    message["Subject"] = f"[{settings.hostname}] {subject}"
    message["Date"] = email.utils.localtime()
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


@contextlib.contextmanager
def session(settings: Settings, timeout: float) -> Iterator[smtplib.SMTP]:
    """Greet the relay, over TLS where it offers that; each of its answers may take `timeout` seconds.

    Raises OSError (ssl.SSLError among them) and SMTPException.
    """
    name, _, port = settings.mail_relay.partition(":")
    with smtplib.SMTP(name, int(port or smtplib.SMTP_PORT), settings.hostname, timeout) as relay:
        relay.ehlo_or_helo_if_needed()
        if relay.has_extn("starttls"):
            # As between mail servers: encrypted, without verifying the certificate (RFC 7435, section 3).
            relay.starttls(context=_unverified())
            relay.ehlo_or_helo_if_needed()
        yield relay


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


UNIT = argument("unit", metavar="UNIT", help="the name of a systemd unit")
VERB = Verb(
    "report-failure",
    "mail the administrator that a unit has failed, as systemd does",
    says(lambda host, options: report_failure(host, options.unit)),
    (JSON, UNIT),
)
