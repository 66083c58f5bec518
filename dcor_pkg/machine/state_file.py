"""Keep what one run records for the next one: JSON in files of their own, which only root reads."""

from __future__ import annotations

import json
from typing import TypeVar

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host

ACCESS = Access(0o600)
State = TypeVar("State")


def read(host: Host, path: str, default: State) -> State:
    """Return what was recorded last, or `default` where nothing was. Raises DcorError for a damaged file."""
    text = host.read(path)
    try:
        found: State = json.loads(text) if text else default
    except ValueError as error:
        raise DcorError(
            f"{path}, in which dcor-server records its state, is damaged: {error}",
            hint="Bring it back from a backup, or move it away; then: dcor-server converge",
        ) from None
    return found


def write(host: Host, path: str, state: object) -> None:
    """Record a state in the place of the former one. Raises DcorError."""
    host.write(path, json.dumps(state, indent=1) + "\n", ACCESS)
