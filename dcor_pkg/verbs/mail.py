"""Mail to the admin about a unit of ours that has failed, where the settings name a relay: once a day, however often."""

from __future__ import annotations

import smtplib
import ssl
import time
from email.message import EmailMessage

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Access, Host

#: lines of the journal that go along
LINES = 50
#: seconds
PATIENCE = 60.0
#: when which unit was told of
TOLD = "/var/lib/dcor-server/mailed"
#: seconds in which nobody wants to hear the same again; less than a day, so that a timer's next time counts
ENOUGH = 20 * 3600.0


def report_failure(host: Host, unit: str) -> str:
    """Send what a unit has last said, and return what became of that. Raises DcorError when the relay does not take it."""
    settings = settings_file.load(host)
    if not settings.mail_relay:
        return "There is no mail relay in the settings, so nobody is told."
    told = f"{TOLD}/{unit}"
    if time.time() - float(host.read(told) or 0) < ENOUGH:
        return f"{settings.email} was told today."
    words = host.run("journalctl", "--no-pager", "--output=cat", f"--lines={LINES}", f"--unit={unit}")
    send(
        settings,
        f"{unit} has failed",
        f"{words}\n`dcor-server status` on {settings.hostname} tells how the server is.\n",
    )
    host.write(told, f"{time.time()}\n", Access(0o600))
    return f"{settings.email} is told by {settings.mail_relay}."


def send(settings: Settings, subject: str, text: str) -> None:
    """Give a mail to the relay, over TLS where it offers that. Raises DcorError."""
    message = EmailMessage()
    message["From"] = message["To"] = settings.email
    message["Subject"] = f"[{settings.hostname}] {subject}"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    name, _, port = settings.mail_relay.partition(":")
    try:
        with smtplib.SMTP(name, int(port or smtplib.SMTP_PORT), settings.hostname, PATIENCE) as relay:
            relay.ehlo()
            if relay.has_extn("starttls"):
                # As mail servers do among themselves: encrypted, whatever the certificate (RFC 7435).
                relay.starttls(context=ssl._create_unverified_context())
            relay.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise DcorError(f"{settings.mail_relay} does not take the mail: {error}", "Is mail-relay right?") from None
