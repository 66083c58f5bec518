"""A part of the server, as its question was answered, and which of several problems is the cause of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

#: of the JSON; raised where a key is removed or means something else
SCHEMA = 1


@dataclass(frozen=True)
class Part:
    """A part of the server: `problem` is None when it is healthy, and `detail` is shown then."""

    name: str
    problem: str | None
    detail: str = ""
    #: what an administrator should know before it is a problem; it changes no exit code
    warning: str = ""
    #: how long the answer took
    seconds: float = 0.0
    #: the part whose problem keeps this one from working
    cause: str = ""
    #: for monitoring, by names of METRICS (prometheus.py)
    numbers: Mapping[str, float] = field(default_factory=dict)
    #: parts of the same group that are healthy are shown on one line
    group: str = ""
    #: the number of the disk that it is, of which others may be as well
    device: int | None = None

    #: whether the time is of interest: of what users wait for
    is_timed: bool = False

    @property
    def is_root(self) -> bool:
        """Whether it has a problem which is not that of another part."""
        return self.problem is not None and not self.cause

    def as_json(self) -> dict[str, object]:
        """Return what `status --json` says of it."""
        return {
            "name": self.name,
            "ok": self.problem is None,
            "problem": self.problem,
            "warning": self.warning,
            "cause": self.cause,
            "detail": self.detail,
            "seconds": round(self.seconds, 3),
            "numbers": dict(self.numbers),
        }


def with_causes(parts: Iterable[Part], needs: Mapping[str, tuple[str, ...]]) -> list[Part]:
    """Return the parts, each with the first of those it needs that has a problem; the deepest ones come first there.

    Whoever asks a page while the database hangs waits as well, and the page is not what is broken.
    """
    parts = list(parts)
    failing = {part.name for part in parts if part.problem is not None}
    return [
        replace(part, cause=next((need for need in needs.get(part.name, ()) if need in failing), ""))
        if part.problem is not None
        else part
        for part in parts
    ]
