"""Take the answers from debconf. They count once; then the settings' file does, and debconf follows it."""

from __future__ import annotations

from collections.abc import Mapping

from dcor_pkg.answers import questions
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import PASSWORDS, QUESTIONS, InvalidAnswer, as_answers
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services import external
from dcor_pkg.verbs import change_settings

OTHER_ANSWER = "debconf-set-selections takes another answer; dpkg --configure -a asks for one, at a terminal."


def take(host: Host, wire: Wire, *, again: bool, tried: bool) -> list[str]:
    """Save the answers where they count, and return what is to be told when the wire is down.

    They count in a first installation and in a reconfiguration (`again`); else a preseed that differs is told of.
    `tried`: whether the machine can be asked already. Raises DcorError before anything is changed.
    """
    kept = settings_file.read(host)
    given = {key: Secret(text) for key, text in wire.answers(PASSWORDS).items() if text}
    counts = again or kept is None
    told = [] if counts else _preseeded(host, wire, kept or {}, given)
    try:
        answers = _answers(wire, kept or {}) if counts else {}
        taken = change_settings.take(host, answers, given if counts else {}, tried=tried)
    except DcorError as refused:
        _put_back(wire, kept, given, refused)
        raise
    wire.forget(given)
    questions.settle(wire, as_answers(taken))
    if counts and "." not in taken.hostname:
        told.append(
            f"{taken.hostname} is a host name without a domain, which users elsewhere may not find. "
            "dcor-server set hostname=NAME changes it."
        )
    return told


def _answers(wire: Wire, kept: Mapping[str, str]) -> dict[str, str]:
    """Return what differs from the file: on its way through debconf white space in a row has become one blank."""
    found = wire.answers(QUESTIONS)
    return {key: answer for key, answer in found.items() if answer.split() != kept.get(key, "").split()}


def _preseeded(host: Host, wire: Wire, kept: Mapping[str, str], given: Mapping[str, Secret]) -> list[str]:
    stored = external.passwords(host)
    secrets = [
        f"dcor-server/{key} is preseeded, and does not count any more. dcor-server set {key}=@FILE changes it."
        for key, secret in given.items()
        if stored.get(key) != secret
    ]
    return questions.preseeded(wire, kept) + secrets


def _put_back(wire: Wire, kept: Mapping[str, str] | None, given: Mapping[str, Secret], refused: DcorError) -> None:
    """Leave debconf as the next try needs it.

    With a file, that is what the file says. At the first time the answers stay, secrets in debconf's own root-only
    file, and the one that was refused is asked again.
    """
    if kept is not None:
        wire.forget(given)
        questions.settle(wire, kept)
    elif isinstance(refused, InvalidAnswer):
        wire.unsee(refused.question.partition("/")[2])
        refused.hint = f"{refused.hint} {OTHER_ANSWER}".strip()
