"""Run programs in a terminal of a machine (tmux, 80 by 24 characters), type answers and read the screen."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from dcor_dev.machine import Machine

NUMBERS = itertools.count(1)
#: Displayed when the program has exited, followed by its exit code.
EXITED = "The program exited with"
#: The longest wait for a text: an installation does most of its work between two questions.
TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Terminal:
    """A terminal in which a program runs."""

    machine: Machine
    #: Of its tmux server; each terminal has its own, since a server that is exiting accepts new clients and drops them.
    number: int

    def tmux(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command of tmux, and return its output."""
        return self.machine.run(
            "tmux", "-u", "-L", f"terminal-{self.number}", "-f", "/dev/null", *command, env=env
        ).stdout

    def screen(self) -> str:
        """Return the screen without empty lines."""
        lines = self.tmux("capture-pane", "-p").splitlines()
        return "\n".join(line.rstrip() for line in lines if line.strip())

    def text(self) -> str:
        """Return the complete output, including what has scrolled off the screen, with wrapped lines joined."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-")

    def expect(self, text: str) -> str:
        """Return the screen as soon as it shows this text; fail when the program exits before, or after the timeout."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            screen = self.screen()
            if text in screen:
                return screen
            assert EXITED not in screen or text.startswith(EXITED), f"no {text!r} before the end:\n{screen}"
            time.sleep(0.1)
        raise AssertionError(f"no {text!r} within {TIMEOUT_SECONDS} s:\n{self.screen()}")

    def type(self, *keys: str) -> None:
        """Type texts and keys, with tmux's names of keys (Enter, Escape, C-u)."""
        self.tmux("send-keys", *keys)

    def answer(self, question: str, *keys: str) -> str:
        """Wait until the screen shows this question, type the answer, and return the screen with the question."""
        screen = self.expect(question)
        self.type(*keys)
        return screen

    def wait_for_exit(self, code: int = 0) -> str:
        """Wait until the program exits, assert its exit code, and return the complete output."""
        self.expect(EXITED)
        output = self.text()
        assert f"{EXITED} {code}" in output, output
        assert "Traceback" not in output
        return output


@contextmanager
def running(machine: Machine, command: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run a command in a new terminal, which is closed afterwards."""
    shell = f"{command}; echo {EXITED} $?; exec sleep infinity"
    terminal = Terminal(machine, next(NUMBERS))
    terminal.tmux("new-session", "-d", "-x", "80", "-y", "24", shell, env=env)
    try:
        yield terminal
    finally:
        terminal.tmux("kill-server")
