"""Take the answers from debconf, once: afterwards the settings file applies, and debconf's answers follow it."""

from __future__ import annotations

from collections.abc import Mapping

from dcor_pkg.answers import questions
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import PASSWORDS, QUESTIONS, InvalidAnswer, Settings, as_answers
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services import external
from dcor_pkg.verbs import change_settings

OTHER_ANSWER = (
    "To answer again: dpkg --configure -a at a terminal, or debconf-set-selections and then dpkg --configure -a."
)


def take(host: Host, wire: Wire, *, reconfigure: bool, probe: bool) -> list[str]:
    """Save debconf's answers where they apply, and return messages for the admin, to be printed after `wire.hang_up`.

    Answers apply in a first installation and if `reconfigure`; otherwise a differing preseed gives a message.
    `probe`: whether to try the settings on the machine. Raises DcorError before anything is changed. Whatever was
    answered to a former purge is forgotten.
    """
    wire.forget([questions.PURGE])
    saved = settings_file.read(host)
    passwords = {key: Secret(text) for key, text in wire.answers(PASSWORDS).items() if text}
    applies = reconfigure or saved is None
    messages = [] if applies else _preseeded(host, wire, saved or {}, passwords)
    try:
        answers = _answers(wire, saved or {}) if applies else {}
        taken = change_settings.take(host, answers, passwords if applies else {}, probe=probe)
    except DcorError as error:
        _restore(wire, saved, passwords, error)
        raise
    wire.forget(passwords)
    questions.settle(wire, as_answers(taken))
    return [*messages, *(_warnings(taken) if applies else ())]


def _answers(wire: Wire, saved: Mapping[str, str]) -> dict[str, str]:
    """Return the answers that differ from the file, apart from white space, which debconf's protocol collapses."""
    found = wire.answers(QUESTIONS)
    return {key: answer for key, answer in found.items() if answer.split() != saved.get(key, "").split()}


def _preseeded(host: Host, wire: Wire, saved: Mapping[str, str], passwords: Mapping[str, Secret]) -> list[str]:
    """Return a message for each answer, and each password, whose preseed has no effect."""
    stored = external.passwords(host)
    secrets = [
        f"dcor-server/{key} is preseeded, but the server is installed already: the stored one applies. "
        f"To change it: dcor-server set {key}=@FILE"
        for key, secret in passwords.items()
        if stored.get(key) != secret
    ]
    return questions.preseeded(wire, saved) + secrets


def _warnings(settings: Settings) -> list[str]:
    if "." in settings.hostname:
        return []
    warning = f"{settings.hostname} is a host name without a domain, so users in other networks may not reach it."
    return [f"{warning} To change it: dcor-server set hostname=NAME"]


def _restore(wire: Wire, saved: Mapping[str, str] | None, passwords: Mapping[str, Secret], error: DcorError) -> None:
    """Leave debconf as the next attempt needs it.

    If there is a settings file, debconf gets its values. In a first installation the answers stay, passwords in
    debconf's own file for root only, and the invalid one is asked again.
    """
    if saved is not None:
        wire.forget(passwords)
        questions.settle(wire, saved)
    elif isinstance(error, InvalidAnswer):
        wire.unsee(error.key)
        error.hint = f"{error.hint} {OTHER_ANSWER}".strip()
