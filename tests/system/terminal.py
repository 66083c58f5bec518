"""A terminal inside a machine, 80 by 24, at which a test types and reads what an admin would see (by tmux)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from dcor_dev.machine import Machine

NUMBERS = itertools.count(1)
ENDED = "ended with"
#: seconds that a program may take to its next words: an installation does most of its work between two questions
TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Terminal:
    """A terminal in which a program runs."""

    machine: Machine
    #: its own server of tmux: one that is just ending takes a new client, and drops it
    number: int

    def tmux(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """Give tmux a command, and return what it prints."""
        return self.machine.run(
            "tmux", "-u", "-L", f"terminal-{self.number}", "-f", "/dev/null", *command, env=env
        ).stdout

    def screen(self) -> str:
        """Return what stands on the screen, without the lines that are empty."""
        lines = self.tmux("capture-pane", "-p").splitlines()
        return "\n".join(line.rstrip() for line in lines if line.strip())

    def text(self) -> str:
        """Return all that was ever said, what has left the screen included; lines that were wrapped are one again."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-")

    def expect(self, words: str) -> str:
        """Return the screen as soon as these words are on it."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            screen = self.screen()
            if words in screen:
                return screen
            assert ENDED not in screen or words.startswith(ENDED), f"no {words!r} before the end:\n{screen}"
            time.sleep(0.1)
        raise AssertionError(f"no {words!r} within {TIMEOUT_SECONDS} s:\n{self.screen()}")

    def type(self, *keys: str) -> None:
        """Type texts and keys (as tmux names them: Enter, Escape, C-u)."""
        self.tmux("send-keys", *keys)

    def answer(self, words: str, *keys: str) -> str:
        """Wait for a question that shows these words, type the answer, and return what the screen was."""
        screen = self.expect(words)
        self.type(*keys)
        return screen

    def ends(self, code: int = 0) -> str:
        """Return all that was said when the program has ended, with that exit code."""
        self.expect(ENDED)
        said = self.text()
        assert f"{ENDED} {code}" in said, said
        assert "Traceback" not in said
        return said


@contextmanager
def running(machine: Machine, command: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run a command in a new terminal; the terminal is closed in the end."""
    shell = f"{command}; echo {ENDED} $?; exec sleep infinity"
    terminal = Terminal(machine, next(NUMBERS))
    terminal.tmux("new-session", "-d", "-x", "80", "-y", "24", shell, env=env)
    try:
        yield terminal
    finally:
        terminal.tmux("kill-server")
