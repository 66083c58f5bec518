"""Speak debconf's protocol: ask questions, get the answers, and close the connection. The only import of debconf.

File descriptors 0 and 1 are connected to debconf's frontend (debconf-devel(7)): output of a program would break the
protocol. The children of Host.run are safe, because they have a standard input and output of their own.

Except for debconf standard library only: config, which runs before this package is unpacked, contains this module.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable

import debconf

FRONTEND = "/usr/share/debconf/frontend"
#: debconf's return code for "not shown" (INPUT) and "the admin goes back" (GO)
NO = 30
#: the template that says why an answer is invalid
INVALID_ANSWER = "dcor-server/invalid-answer"
#: the template whose paragraphs are all reasons and hints, so that they are translated
MESSAGES = "dcor-server/messages"


class Wire:
    """The connection to debconf's frontend. Questions are named by their keys, without `dcor-server/`."""

    def __init__(self, frontend: debconf.Debconf) -> None:
        self._frontend = frontend
        self._frontend.capb("backup")

    def get(self, key: str) -> str:
        """Return the answer to a question, or its proposal."""
        return str(self._frontend.get(_question(key))).strip()

    def put(self, key: str, answer: str) -> None:
        """Set an answer, with single blanks for its white space: in the protocol a newline would end the command."""
        self._frontend.set(_question(key), " ".join(answer.split()))

    def show(self, priority: str, key: str) -> bool:
        """Let the next `go` show a question, and return whether it will really be shown."""
        return _yes(lambda: self._frontend.input(priority, _question(key)))

    def go(self) -> bool:
        """Show the questions, wait for the answers, and return whether the admin goes on (False: back)."""
        return _yes(self._frontend.go)

    def show_invalid(self, key: str, answer: str, reason: str, hint: str) -> None:
        """Show why an answer is invalid, in the admin's language, under the title of its question."""
        label = self._frontend.metaget(_question(key), "description")
        translated = dict(zip(self._messages("-c"), self._messages()))
        texts = {
            "QUESTION": label,
            "ANSWER": answer,
            "REASON": translated.get(reason, reason),
            "HINT": translated.get(hint, hint),
        }
        for name, text in texts.items():
            self._frontend.subst(INVALID_ANSWER, name, text)
        self._frontend.fset(INVALID_ANSWER, "seen", "false")
        if self.show("critical", INVALID_ANSWER.partition("/")[2]):
            self.go()

    def _messages(self, language: str = "") -> list[str]:
        """Return all reasons and hints, in the admin's language or untranslated ("-c").

        The text has several lines, and an unescaped newline would end the reply; debconf's binding removes the escapes.
        """
        self._frontend.capb("backup escape")
        text = self._frontend.metaget(MESSAGES, f"extended_description{language}")
        self._frontend.capb("backup")
        return str(text).split("\n\n")

    def is_seen(self, key: str) -> bool:
        """Return whether somebody has given the answer, in a dialogue or by debconf-set-selections(1)."""
        return str(self._frontend.fget(_question(key), "seen")) == "true"

    def unsee(self, key: str) -> None:
        """Let a question be asked again, and a later preseed be noticed."""
        self._frontend.fset(_question(key), "seen", "false")

    def answers(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the answers, without those to questions that the loaded templates do not have."""
        found = {}
        for key in keys:
            with contextlib.suppress(debconf.DebconfError):
                found[key] = self.get(key)
        return found

    def forget(self, keys: Iterable[str]) -> None:
        """Remove answers from debconf's database: secrets that are saved, or invalid."""
        for key in keys:
            self._frontend.reset(_question(key))

    def hang_up(self) -> None:
        """Close the connection, so that no child holds it open. What is printed then goes to standard error."""
        self._frontend.stop()
        os.dup2(2, 1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)


def wire() -> Wire:
    """Return the connection to debconf. Without a frontend, start one, which runs the script again; never return.

    The frontend is started with the script as its argument: `debconf.runFrontEnd` hides the script's name from it, so
    that it would neither load the templates nor run config. Answers are UTF-8 in any locale; other bytes are preserved.
    """
    if "DEBIAN_HAS_FRONTEND" not in os.environ:
        os.execv(FRONTEND, [FRONTEND, *sys.argv])
    incoming = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    outgoing = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    return Wire(debconf.Debconf(read=incoming, write=outgoing))


def _question(key: str) -> str:
    return f"dcor-server/{key}"


def _yes(command: Callable[[], object]) -> bool:
    """Run a command of the protocol; return False if debconf answers NO. Raises DebconfError for another failure."""
    try:
        command()
    except debconf.DebconfError as answer:
        if answer.args[0] != NO:
            raise
        return False
    return True
