"""The wire to debconf: ask, read, hang up. The only import of debconf.

File descriptors 0 and 1 are the wire to debconf's frontend (debconf-devel(7)): what is printed there breaks it. Children
are safe as Host.run starts them, with a standard input and output of their own.

Beside debconf the standard library only: config, which runs before anything of ours is unpacked, has this in it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable

import debconf

FRONTEND = "/usr/share/debconf/frontend"
#: debconf's code for a question that nobody is shown, and for an admin who wants to go back
NO = 30
#: the template that says why an answer is not taken
REFUSED = "dcor-server/refused"
#: the template whose paragraphs are the sentences that this one may say
SENTENCES = "dcor-server/refusals"


class Wire:
    """Debconf's frontend as we speak to it; a question `dcor-server/KEY` is called by its key."""

    def __init__(self, frontend: debconf.Debconf) -> None:
        self._frontend = frontend
        self._frontend.capb("backup")

    def get(self, key: str) -> str:
        """Return the answer to a question, or what will be proposed."""
        return str(self._frontend.get(_question(key))).strip()

    def put(self, key: str, answer: str) -> None:
        """Propose an answer, or correct one. On the wire a line ends a command, and white space parts its words."""
        self._frontend.set(_question(key), " ".join(answer.split()))

    def show(self, priority: str, key: str) -> bool:
        """Put a question up for `go`; tell whether anybody will see it."""
        return _yes(lambda: self._frontend.input(priority, _question(key)))

    def go(self) -> bool:
        """Show what was put up, and wait for the answer; tell whether the admin goes on, and not back."""
        return _yes(self._frontend.go)

    def refuse(self, key: str, answer: str, reason: str, hint: str) -> None:
        """Show why an answer is not taken, in the admin's language. The question is named as it was asked."""
        label = self._frontend.metaget(_question(key), "description")
        ours = dict(zip(self._sentences("-c"), self._sentences()))
        told = {"QUESTION": label, "ANSWER": answer, "REASON": ours.get(reason, reason), "HINT": ours.get(hint, hint)}
        for name, text in told.items():
            self._frontend.subst(REFUSED, name, text)
        self._frontend.fset(REFUSED, "seen", "false")
        if self.show("critical", "refused"):
            self.go()

    def _sentences(self, language: str = "") -> list[str]:
        """Return what a refusal may say, in the admin's language or as it was written ("-c").

        On the wire a line ends an answer, too, unless it is escaped; debconf's binding takes that back.
        """
        self._frontend.capb("backup escape")
        text = self._frontend.metaget(SENTENCES, f"extended_description{language}")
        self._frontend.capb("backup")
        return str(text).split("\n\n")

    def is_seen(self, key: str) -> bool:
        """Tell whether the answer was given by somebody: in a dialogue, or by debconf-set-selections(1)."""
        return str(self._frontend.fget(_question(key), "seen")) == "true"

    def unsee(self, key: str) -> None:
        """Let a question be asked again; and let an answer that is preseeded later be told from one that was taken."""
        self._frontend.fset(_question(key), "seen", "false")

    def answers(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the answers; those that this version of the templates does not have are missing."""
        found = {}
        for key in keys:
            with contextlib.suppress(debconf.DebconfError):
                found[key] = self.get(key)
        return found

    def forget(self, keys: Iterable[str]) -> None:
        """Take answers out of debconf: secrets that have been stored, or refused."""
        for key in keys:
            self._frontend.reset(_question(key))

    def hang_up(self) -> None:
        """Put the wire down: no child may hold it open, and what is printed goes to the terminal's errors."""
        self._frontend.stop()
        os.dup2(2, 1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)


def wire() -> Wire:
    """Return the wire to debconf. Does not return where no frontend runs: it is started.

    The frontend is started on the script itself: `debconf.runFrontEnd` hides the script's name from it, so that
    neither templates were loaded nor config run. Answers are UTF-8 in whatever locale; what is not is kept as it is.
    """
    if "DEBIAN_HAS_FRONTEND" not in os.environ:
        os.execv(FRONTEND, [FRONTEND, *sys.argv])
    incoming = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    outgoing = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    return Wire(debconf.Debconf(read=incoming, write=outgoing))


def _question(key: str) -> str:
    return f"dcor-server/{key}"


def _yes(command: Callable[[], object]) -> bool:
    try:
        command()
    except debconf.DebconfError as answer:
        if answer.args[0] != NO:
            raise
        return False
    return True
