"""Keep what one run records for the next one: JSON in files of their own, which only root reads.

A file that is damaged (a full disk, a bad one) counts as missing: what it records is found out again. Its step moves it
away, so that an administrator sees it (kernel/state_files.py).
"""

from __future__ import annotations

import json
from typing import TypeVar

from dcor_pkg.machine.host import Access, Host

ACCESS = Access(0o600)
State = TypeVar("State")


def read(host: Host, path: str, default: State) -> State:
    """Return what was recorded last, or `default` where nothing was, or where it is damaged."""
    text = host.read(path)
    found: State = default if text is None or problem(text) else json.loads(text)
    return found if default is None or isinstance(found, type(default)) else default


def write(host: Host, path: str, state: object) -> None:
    """Record a state in the place of the former one. Raises DcorError."""
    host.write(path, json.dumps(state, indent=1) + "\n", ACCESS)


def problem(text: str) -> str | None:
    """Return why a text is not a state, or None."""
    try:
        found = json.loads(text)
    except ValueError as error:
        return str(error)
    return None if isinstance(found, (dict, list)) else "neither an object nor a list"
