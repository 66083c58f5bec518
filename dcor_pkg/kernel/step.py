"""A step of the plan: one property that the machine should have."""

from __future__ import annotations

from typing import Protocol

from dcor_pkg.machine.host import Host


class Step(Protocol):
    """A property of the machine: how to check it, and how to bring it about.

    A step is a frozen dataclass of the few settings that it needs, so that a reader sees everything that it depends
    on.
    """

    @property
    def name(self) -> str:
        """Return the name of the step in reports, which stays the same between runs."""

    def check(self, host: Host) -> str | None:
        """Return the drift as half a sentence, or None. Changes nothing. May raise DcorError."""

    def apply(self, host: Host) -> None:
        """Remove the drift that `check` has found. May raise DcorError."""
