"""`dcor-server report-health`: mail the administrator when parts of the server fail, and when all are healthy again.

systemd does so each night. While nothing changes no mail is sent, so that one that comes is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel import last_converge, settings_file
from dcor_pkg.machine import paths, state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.status import health
from dcor_pkg.verbs import mail
from dcor_pkg.verbs.verb import Verb, says

#: the problems that the last mail named, by part; a mail that was not accepted is sent the next time
TOLD = f"{paths.STATE}/health-mailed.json"
CONVERGE = "converge"


def report(host: Host) -> str:
    """Mail what has failed since the last mail, or that all is healthy again, and return what was done.

    Raises DcorError when the relay rejects it.
    """
    settings = settings_file.load(host)
    if not settings.mail_relay:
        return f"No mail about the server's health was sent, because the setting mail-relay is empty. {mail.TO_CHANGE}"
    told: dict[str, str] = state_file.read(host, TOLD, {})
    found = problems(host, settings)
    if found and not found.keys() - told.keys():
        # What works again and fails anew is mailed anew.
        state_file.write(host, TOLD, {name: told[name] for name in found})
        return f"No mail was sent: {settings.email} knows of {', '.join(found)}."
    if not found and not told:
        return "No mail was sent: the server is healthy, as it was."
    subject = f"{', '.join(found)}: not healthy" if found else "the server is healthy again"
    mail.send(settings, subject, _text(settings, told, found))
    state_file.write(host, TOLD, found)
    return f"A mail was sent to {settings.email}: {subject}."


def problems(host: Host, settings: Settings) -> dict[str, str]:
    """Return what `dcor-server status` ends with 3 for, by part."""
    found = {part.name: part.problem for part in health.examine(host, settings).parts if part.problem}
    failure = last_converge.read(host).reason
    return {**found, **({CONVERGE: failure} if failure else {})}


def _text(settings: Settings, told: Mapping[str, str], found: Mapping[str, str]) -> str:
    now = [f"{name}: {problem}" for name, problem in found.items()]
    better = [f"{name} is healthy again; it was: {problem}" for name, problem in told.items() if name not in found]
    advice = f"`dcor-server status` on {settings.hostname} shows all parts. The next mail comes when this changes."
    return "\n".join([*now, *better, "", advice, ""])


VERB = Verb(
    "report-health",
    "mail the administrator what has failed, or works again, as systemd does each night",
    says(lambda host, _: report(host)),
)
