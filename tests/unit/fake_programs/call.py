"""One start of a program on the fake machine: what a handler is given, and how it answers."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dcor_pkg.errors import CommandFailed


@dataclass(frozen=True)
class Call:
    """The arguments of `Host.run`."""

    argv: tuple[str, ...]
    text: str = ""
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments that are not options."""
        return tuple(word for word in self.argv[1:] if not word.startswith("-"))

    @property
    def options(self) -> tuple[str, ...]:
        """The arguments that are options, in their order."""
        return tuple(word for word in self.argv[1:] if word.startswith("-"))

    def option(self, name: str) -> str:
        """Return the value of `NAME=VALUE`. Raises AssertionError where it is missing."""
        found = [word.partition("=")[2] for word in self.options if word.startswith(f"{name}=")]
        if len(found) != 1:
            raise self.unknown()
        return found[0]

    def failure(self, code: int, words: str) -> CommandFailed:
        """Return what Host raises when the program ends with this exit code and these words."""
        return CommandFailed(self.argv, code, words)

    def unknown(self) -> AssertionError:
        """Return the error for a call that the fake machine has no answer to."""
        as_user = f" as {self.user}" if self.user else ""
        return AssertionError(f"The fake machine does not know `{shlex.join(self.argv)}`{as_user} ({self.text!r}).")


Handler = Callable[[Call], str]
