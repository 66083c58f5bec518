"""The answers, from debconf: read, then hung up. The only import of debconf.

File descriptors 0 and 1 are the wire to debconf's frontend (debconf-devel(7)): what is printed there breaks it. Children
are safe as Host.run starts them, with a standard input and output of their own.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable

import debconf

FRONTEND = "/usr/share/debconf/frontend"


def wire() -> debconf.Debconf:
    """Return the wire to debconf. Does not return where no frontend runs: it is started.

    The frontend is started on the script itself: `debconf.runFrontEnd` hides the script's name from it, so that
    neither templates were loaded nor config run.
    """
    if "DEBIAN_HAS_FRONTEND" not in os.environ:
        os.execv(FRONTEND, [FRONTEND, *sys.argv])
    return debconf.Debconf()


def answers(wire: debconf.Debconf, keys: Iterable[str]) -> dict[str, str]:
    """Return the answers to `dcor-server/KEY`; those that this version of the templates does not have are missing."""
    found = {}
    for key in keys:
        with contextlib.suppress(debconf.DebconfError):
            found[key] = str(wire.get(f"dcor-server/{key}"))
    return found


def forget(wire: debconf.Debconf, keys: Iterable[str]) -> None:
    """Take answers out of debconf: secrets that have been stored, or refused."""
    for key in keys:
        wire.reset(f"dcor-server/{key}")


def hang_up(wire: debconf.Debconf) -> None:
    """Put the wire down: it must not be held open by any child, and what is printed goes to the terminal's errors."""
    wire.stop()
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
