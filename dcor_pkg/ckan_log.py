"""What CKAN has said of late, for whoever started it and has to tell why it does not work.

The log lies in a folder of CKAN's, where links may lead anywhere: it is read as CKAN's user, never as root.
"""

from __future__ import annotations

from dcor_pkg import release
from dcor_pkg.host import Host

LOG = "/var/log/ckan/web.log"
TRACEBACK = "Traceback (most recent call last):"
#: characters of it that are worth telling
ENOUGH = 500


def size(host: Host) -> int:
    """Return how many bytes there are now."""
    return int(host.run("stat", "--dereference", "--format=%s", LOG, user=release.USER))


def last_words(host: Host, before: int) -> str:
    """Return the exception that ended CKAN, or else its last line, since there were `before` bytes."""
    start = before if before <= size(host) else 0  # less than before: rotated in between
    text = host.run("tail", f"--bytes=+{start + 1}", LOG, user=release.USER)
    return exception(text)[-ENOUGH:]


def exception(text: str) -> str:
    """Return the message below the last traceback, which is not indented, or else the last line that says something."""
    _, found, rest = text.rpartition(TRACEBACK)
    lines = [line.strip() for line in rest.splitlines() if line.strip() and not (found and line[0].isspace())]
    return "" if not lines else lines[0] if found else lines[-1]
