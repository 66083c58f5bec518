"""`dcor-server mail-test [ADDRESS]`: send one mail through the relay, and report what the relay said to it."""

from __future__ import annotations

import argparse
import json
import smtplib
import socket
import ssl
from dataclasses import asdict, dataclass

from dcor_pkg.answers import validators
from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError, printable
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services.mail_relay import TIMEOUT_SECONDS
from dcor_pkg.verbs import mail
from dcor_pkg.verbs.verb import FAILED, JSON, OK, Console, Verb, argument

ACCEPTED, REFUSED, NO_CONNECTION, NO_TLS, TIMED_OUT = "accepted", "refused", "no connection", "TLS failure", "time-out"
SUBJECT, TEXT = "test of the mail relay", "This mail was sent by `dcor-server mail-test`, and has arrived.\n"
#: what happened, and what to do, by result
REASONS = {
    REFUSED: "The mail relay {relay} refused a mail from {sender} to {recipient}: {answer}",
    NO_CONNECTION: "The mail relay {relay} cannot be reached, or hung up: {answer}",
    NO_TLS: "The mail relay {relay} offers TLS, which failed: {answer}",
    TIMED_OUT: f"The mail relay {{relay}} did not answer within {TIMEOUT_SECONDS:.0f} s: {{answer}}",
}
HINTS = {
    REFUSED: "Those who run the relay know why: has it to accept mail of this machine, and of this sender (setting email)?",
    NO_CONNECTION: f"Is the setting mail-relay right, and does the network let its port through? {mail.TO_CHANGE}",
    NO_TLS: "Those who run the relay can correct its TLS (1.2 or newer), or its offer of STARTTLS.",
    TIMED_OUT: f"Is the setting mail-relay right, and does a firewall drop what goes there? {mail.TO_CHANGE}",
}


@dataclass(frozen=True)
class Attempt:
    """A mail that was offered to the relay, what became of it, and the words of the relay or of the network."""

    relay: str
    sender: str
    recipient: str
    result: str
    answer: str


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Send the mail and report; 1 where the relay has not accepted it."""
    settings = settings_file.load(host)
    recipient = options.address or settings.email
    if (problem := validators.email.problem(recipient)) is not None:
        raise DcorError(f"{recipient!r} {problem}.", "For example: dcor-server mail-test admin@example.org")
    if not settings.mail_relay:
        raise DcorError("This server sends no mail, because the setting mail-relay is empty.", mail.TO_CHANGE)
    done = attempt(settings, recipient)
    if options.json:
        console.out(json.dumps(asdict(done), indent=1))
        return OK if done.result == ACCEPTED else FAILED
    if done.result != ACCEPTED:
        raise DcorError(REASONS[done.result].format(**asdict(done)), HINTS[done.result])
    console.out(f"The mail relay {done.relay} accepted a mail to {recipient}: {printable(done.answer)}")
    return OK


def attempt(settings: Settings, recipient: str) -> Attempt:
    """Offer the mail to the relay."""
    try:
        with mail.session(settings, TIMEOUT_SECONDS) as relay:
            code, text = _offer(relay, settings, recipient)
    except (OSError, smtplib.SMTPException) as error:
        result, answer = _result(error), _words(error)
    else:
        result, answer = (ACCEPTED if 200 <= code < 300 else REFUSED), _answer(code, text)
    return Attempt(settings.mail_relay, settings.email, recipient, result, answer)


def _offer(relay: smtplib.SMTP, settings: Settings, recipient: str) -> tuple[int, bytes]:
    """Return the relay's answer to the mail, or its first refusal (RFC 5321, section 3.3)."""
    message = mail.compose(settings, recipient, SUBJECT, TEXT)
    for code, text in (relay.mail(settings.email), relay.rcpt(recipient)):
        if not 200 <= code < 300:
            return code, text
    return relay.data(message.as_bytes())


def _result(error: Exception) -> str:
    # smtplib reports a reply that does not come as a lost connection.
    if isinstance(error, socket.timeout) or isinstance(error.__context__, socket.timeout):
        return TIMED_OUT
    if isinstance(error, ssl.SSLError):
        return NO_TLS
    is_connection = isinstance(error, smtplib.SMTPServerDisconnected) or not isinstance(error, smtplib.SMTPException)
    return NO_CONNECTION if is_connection else REFUSED


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return str(error) or type(error).__name__


def _answer(code: int, text: bytes | str) -> str:
    """Return a reply on one line; smtplib gives the code -1 to one that has none."""
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return " ".join((*([str(code)] if code > 0 else []), *words.split()))


ADDRESS = argument("address", nargs="?", metavar="ADDRESS", help="who gets the mail (default: the setting email)")
VERB = Verb("mail-test", "send one mail through the mail relay, and report what the relay said", run, (JSON, ADDRESS))
