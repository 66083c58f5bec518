"""The questionnaire: which questions are asked, in which order, and what happens after an invalid answer.

Standard library only: debconf's config runs before this package is unpacked, so the build embeds this directory in it.
"""

from __future__ import annotations

import enum
import shlex
import socket
from collections.abc import Mapping

from dcor_pkg.answers import settings
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.settings import PASSWORDS, QUESTIONS, ROWS, InvalidAnswer

Answers = Mapping[str, str]
#: the questions with their keys, passwords included, in the order in which they are asked
QUESTIONNAIRE = {key: row.question for key, row in ROWS.items() if row.question}
#: whether a purge deletes the data; asked by the postrm, and the answer is for one purge only
PURGE = "purge-data"
#: After so many questions nobody is at the keyboard: without a terminal a frontend answers, or goes back, for ever.
MOST_QUESTIONS = 200


class Turn(enum.Enum):
    """How a question ended."""

    NOT_SHOWN = enum.auto()
    ANSWERED = enum.auto()
    INVALID = enum.auto()
    BACK = enum.auto()


def ask(wire: Wire, saved: Answers | None, preserved: Answers) -> None:
    """Propose the answers in the settings file (`saved`; None if there is no file) and ask. `preserved`: see `propose`.

    From each question the admin can go back to the previous one that was shown; the first one is then asked again.
    """
    propose(wire, saved, preserved)
    keys = list(QUESTIONNAIRE)
    shown: list[int] = []
    place = 0
    for _ in range(MOST_QUESTIONS):
        if place == len(keys):
            break
        turn = _ask(wire, keys[place])
        if turn is Turn.ANSWERED:
            shown.append(place)
        if turn in (Turn.ANSWERED, Turn.NOT_SHOWN):
            place += 1
        elif turn is Turn.BACK and shown:
            place = shown.pop()


def propose(wire: Wire, saved: Answers | None, preserved: Answers) -> None:
    """Propose the answers in the settings file.

    In a first installation propose a preseed, else what a purge has preserved, else what fits this machine.
    """
    of_machine = machine_proposals() if saved is None else {}
    for key in QUESTIONS:
        before = wire.get(key)
        if saved is not None:
            known = saved.get(key, settings.default(key))
        else:
            known = before if wire.is_seen(key) else preserved.get(key, before)
        proposed = known or of_machine.get(key, settings.default(key))
        if proposed != before:
            wire.put(key, proposed)


def machine_proposals() -> dict[str, str]:
    """Return the proposals that depend on this machine's name, if that is a valid host name; else the default of it."""
    name = settings.normal("hostname", socket.getfqdn())
    try:
        settings.validate("hostname", name)
    except InvalidAnswer:
        name = settings.default("hostname")
    return {key: question.proposal.format(host=name) for key, question in QUESTIONNAIRE.items() if question.proposal}


def preseeded(wire: Wire, saved: Answers) -> list[str]:
    """Return a line for each answer that was preseeded after the settings file was written, and so has no effect.

    debconf-set-selections(1) marks such an answer as seen; of answers that were saved, `settle` removes that mark.
    """
    lines = []
    for key in QUESTIONS:
        answer, value = wire.get(key), saved.get(key, settings.default(key))
        if wire.is_seen(key) and settings.normal(key, answer).split() != value.split():
            answer = settings.masked(answer)
            lines.append(
                f"dcor-server/{key} is preseeded as {answer!r}, but the server is installed already: "
                f"dcor-server.conf applies, which says {value!r}. "
                f"To change it: dcor-server set {key}={shlex.quote(answer)}"
            )
    return lines


def settle(wire: Wire, saved: Answers) -> None:
    """Make debconf's answers those of the settings file, none of which is then newly preseeded."""
    propose(wire, saved, {})
    for key in QUESTIONS:
        wire.unsee(key)


def _ask(wire: Wire, key: str) -> Turn:
    """Ask one question, if its condition holds, and validate an answer that somebody has given.

    An answer to a question that is not shown is restored, and the postinst validates it: debconf itself would replace
    an invalid choice by a valid one.
    """
    question = QUESTIONNAIRE[key]
    if not question.condition(wire.get):
        return Turn.NOT_SHOWN
    before = wire.get(key)
    is_shown = wire.show(question.priority, key)
    if not wire.go():
        return Turn.BACK
    if is_shown:
        return _validate(wire, key, before)
    if wire.get(key) != before:
        wire.put(key, before)
    return Turn.NOT_SHOWN


def _validate(wire: Wire, key: str, proposed: str) -> Turn:
    invalid = _problem(wire, key, proposed)
    if invalid is None:
        return Turn.ANSWERED
    wire.show_invalid(key, invalid.shown, invalid.problem, invalid.hint)
    wire.unsee(key)
    return Turn.INVALID


def _problem(wire: Wire, key: str, proposed: str) -> InvalidAnswer | None:
    """Return what is wrong with an answer, by itself or together with the others; an empty one means the proposal."""
    if not wire.get(key) and key not in PASSWORDS and settings.default(key):
        wire.put(key, proposed)
    try:
        settings.validate(key, settings.normal(key, wire.get(key)))
        settings.parse(wire.answers(QUESTIONS))
    except InvalidAnswer as invalid:
        return invalid if invalid.key == key else None
    return None
