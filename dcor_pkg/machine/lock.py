"""One lock for all that changes the machine (converge, timers, maintainer scripts), and one for making a release."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host

#: Not in /run/lock, where every user can write: one who came first could make us wait for ever.
PATH = "/run/dcor-server.lock"
#: a release is made beside all else, even beside dpkg
RELEASE = "/run/dcor-server-release.lock"
#: seconds that a command waits for another one
PATIENCE = 60.0


class Busy(DcorError):
    """Somebody else is at work."""


@contextlib.contextmanager
def held(host: Host, wait: float = PATIENCE, path: str = PATH) -> Iterator[None]:
    """Hold a lock. Raises Busy when it is not free within `wait` seconds."""
    with host.path(path).open("w") as file:
        deadline = time.monotonic() + wait
        while not _taken(file.fileno()):
            if time.monotonic() > deadline:
                raise Busy("Another dcor-server command is at work.", hint="Try again when it has ended.")
            time.sleep(0.2)
        yield


def is_held(host: Host, path: str) -> bool:
    """Tell whether somebody holds a lock now."""
    try:
        with held(host, 0, path):
            return False
    except Busy:
        return True


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
