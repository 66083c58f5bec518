"""What became of a trial of a service that answers: what to show, and what to know of it before it is a problem."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Examined:
    """A service that does all that CKAN needs of it."""

    detail: str
    warning: str = ""
