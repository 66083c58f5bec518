"""The mail server of the settings: whether it answers, before anything depends on it."""

from __future__ import annotations

import smtplib

from dcor_pkg.answers.settings import InvalidAnswer, Settings
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host

#: a mail server that takes longer to accept a connection or to answer is of no use to CKAN, which waits as long
TIMEOUT_SECONDS = 10.0


def check_mail_relay(_: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer if the mail server is new in the proposal and does not say, when greeted, that it is one."""
    relay = proposal.wanted.mail_relay
    if not relay or (proposal.before and proposal.before.mail_relay == relay):
        return
    try:
        _greet(proposal.wanted)
    except (OSError, smtplib.SMTPException) as error:
        raise InvalidAnswer(
            "dcor-server/mail-relay",
            relay,
            f"the mail server does not answer as one ({error or type(error).__name__})",
            "Give the server that accepts mail of this machine, as HOST or HOST:PORT, or none.",
        ) from None


def _greet(settings: Settings) -> None:
    """Connect, and greet the server (EHLO, or HELO of old servers: RFC 5321, section 3.2)."""
    name, _, port = settings.mail_relay.partition(":")
    with smtplib.SMTP(name, int(port or smtplib.SMTP_PORT), settings.hostname, TIMEOUT_SECONDS) as relay:
        relay.ehlo_or_helo_if_needed()
