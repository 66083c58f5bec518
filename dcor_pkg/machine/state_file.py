"""What a run remembers for the next one: JSON in a file of its own, which root alone reads."""

from __future__ import annotations

import json
from typing import TypeVar

from dcor_pkg.machine.host import Access, Host

What = TypeVar("What")


def read(host: Host, path: str, at_first: What) -> What:
    """Return what was noted last, or `at_first`."""
    text = host.read(path)
    found: What = json.loads(text) if text else at_first
    return found


def write(host: Host, path: str, what: object) -> None:
    """Note it in the place of what was noted before."""
    host.write(path, json.dumps(what, indent=1) + "\n", Access(0o600))
