"""A step: one thing about the machine that has to be so."""

from __future__ import annotations

from typing import Protocol

from dcor_pkg.machine.host import Host


class Step(Protocol):
    """Knows when a thing is right, and how to make it so.

    A step is a frozen dataclass of the few settings that it needs: who reads it sees all
    that it can depend on.
    """

    @property
    def name(self) -> str:
        """Stable: a report names the step so."""

    def check(self, host: Host) -> str | None:
        """Return how the machine differs from what is wanted, in half a sentence, or None."""

    def apply(self, host: Host) -> None:
        """Make it so. Called only after a difference was found; may raise DcorError."""
