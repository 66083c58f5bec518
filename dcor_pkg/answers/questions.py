"""The questionnaire: what is asked, in which order, and what becomes of an answer that cannot be used.

The standard library only: debconf's config runs before anything of ours is unpacked, so this module, and what it
imports, is written into it when the package is built.
"""

from __future__ import annotations

import enum
import shlex
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dcor_pkg.answers import settings
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.settings import OWN, PASSWORDS, InvalidAnswer
from dcor_pkg.answers.validators import LOCAL

HIGH, MEDIUM, LOW = "high", "medium", "low"
Answers = Mapping[str, str]
#: answers the question of that key
Get = Callable[[str], str]
#: After so many questions nobody sits at the keyboard: a frontend without a terminal answers, or goes back, for ever.
PATIENCE = 200


@dataclass(frozen=True)
class Question:
    """A question `dcor-server/KEY`, and the answers to others that make it worth asking."""

    key: str
    priority: str
    asked: Callable[[Get], bool] = lambda get: True


def _own(get: Get) -> bool:
    return get("certificate") == OWN


def _password(key: str) -> Question:
    """A service of this machine's has a password that nobody needs to know."""
    return Question(key, HIGH, lambda get: get(PASSWORDS[key]) != LOCAL)


QUESTIONS = (
    Question("hostname", HIGH),
    Question("email", HIGH),
    Question("certificate", HIGH),
    Question("certificate-file", HIGH, _own),
    Question("certificate-key", HIGH, _own),
    Question("data-directory", HIGH),
    Question("scratch-directory", LOW),
    Question("site-title", MEDIUM),
    Question("database", MEDIUM),
    _password("database-password"),
    Question("redis", MEDIUM),
    _password("redis-password"),
    Question("solr", MEDIUM),
    _password("solr-password"),
    Question("object-store", MEDIUM),
    _password("object-store-secret"),
    Question("mail-relay", MEDIUM),
)


class Turn(enum.Enum):
    """What became of a question."""

    UNSEEN = enum.auto()
    ANSWERED = enum.auto()
    REFUSED = enum.auto()
    BACK = enum.auto()


def ask(wire: Wire, kept: Answers | None, put_by: Answers) -> None:
    """Propose what the settings' file holds (`kept`; None where there is none), and ask. `put_by`: see `propose`.

    From each question the admin can go back to the one that was seen before it; from the first there is no way back.
    """
    propose(wire, kept, put_by)
    seen: list[int] = []
    place = 0
    for _ in range(PATIENCE):
        if place == len(QUESTIONS):
            break
        turn = _ask(wire, QUESTIONS[place])
        if turn is Turn.ANSWERED:
            seen.append(place)
        if turn in (Turn.ANSWERED, Turn.UNSEEN):
            place += 1
        elif turn is Turn.BACK and seen:
            place = seen.pop()


def propose(wire: Wire, kept: Answers | None, put_by: Answers) -> None:
    """Propose the answers of the file.

    In a first installation a preseed, else what a purge has put by, else what only this machine knows.
    """
    machine = of_machine() if kept is None else {}
    for key in settings.QUESTIONS:
        before = wire.get(key)
        if kept is not None:
            known = kept.get(key, settings.default(key))
        else:
            known = before if wire.is_seen(key) else put_by.get(key, before)
        wanted = known or machine.get(key, settings.default(key))
        if wanted != before:
            wire.put(key, wanted)


def of_machine() -> dict[str, str]:
    """Return the defaults that only this machine knows. A name that cannot be a host's is no default."""
    name = socket.getfqdn().lower()
    try:
        settings.validate("hostname", name)
    except InvalidAnswer:
        name = settings.default("hostname")
    return {"hostname": name, "email": f"root@{name}"}


def preseeded(wire: Wire, kept: Answers) -> list[str]:
    """Return a line for each answer that was preseeded after the file had been written: the file counts.

    Such an answer is seen, for debconf-set-selections(1) says so; those that were taken are not any more (`settle`).
    """
    lines = []
    for key in settings.QUESTIONS:
        answer, counts = wire.get(key), kept.get(key, settings.default(key))
        if wire.is_seen(key) and answer.split() != counts.split():
            lines.append(
                f"dcor-server/{key} is preseeded as {settings.masked(answer)!r}; dcor-server.conf says {counts!r} and "
                f"counts. dcor-server set {key}={shlex.quote(settings.masked(answer))} changes it."
            )
    return lines


def settle(wire: Wire, kept: Answers) -> None:
    """Let debconf know what the file says, and that no answer waits to be taken."""
    propose(wire, kept, {})
    for key in settings.QUESTIONS:
        wire.unsee(key)


def _ask(wire: Wire, question: Question) -> Turn:
    """Ask one question, if it is worth it, and judge the answer that somebody has given.

    What nobody sees stays as it is, for the postinst to judge: debconf itself would take another choice for one that
    is not offered.
    """
    key = question.key
    if not question.asked(wire.get):
        return Turn.UNSEEN
    before = wire.get(key)
    seen = wire.show(question.priority, key)
    if not wire.go():
        return Turn.BACK
    if not seen:
        if wire.get(key) != before:
            wire.put(key, before)
        return Turn.UNSEEN
    refused = _refusal(wire, key, before)
    if refused is None:
        return Turn.ANSWERED
    wire.refuse(key, refused.shown, refused.cause, refused.hint)
    wire.unsee(key)
    return Turn.REFUSED


def _refusal(wire: Wire, key: str, proposed: str) -> InvalidAnswer | None:
    """Validator an answer by itself, and with the others; nothing at all is what was proposed, where it is no answer."""
    if not wire.get(key) and key not in PASSWORDS and settings.default(key):
        wire.put(key, proposed)
    try:
        settings.validate(key, wire.get(key))
        settings.parse(wire.answers(settings.QUESTIONS))
    except InvalidAnswer as refused:
        return refused if refused.question == f"dcor-server/{key}" else None
    return None
