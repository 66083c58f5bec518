"""What CKAN has said of late, for whoever started it and has to tell why it does not work.

The log lies in a directory of CKAN's, where links may lead anywhere: it is read as CKAN's user, never as root.
"""

from __future__ import annotations

import itertools
import re

from dcor_pkg.ckan import release
from dcor_pkg.machine.host import Host

LOG = "/var/log/ckan/web.log"
TRACEBACK = "Traceback (most recent call last):"
#: how lines begin that are not the exception's any more: uWSGI's own, and those of the log
OTHERS = re.compile(r"unable to load app|\*\*\*|VACUUM|\[|[0-9]{4}-")
#: characters that are worth telling
ENOUGH = 400


def size(host: Host) -> int:
    """Return how many bytes there are now."""
    return int(host.run("stat", "--dereference", "--format=%s", LOG, user=release.USER))


def last_exception(host: Host, before: int) -> str:
    """Return the message of the last exception since there were `before` bytes; nothing where there was none."""
    start = before if before <= size(host) else 0  # less than before: rotated in between
    return exception(host.run("tail", f"--bytes=+{start + 1}", LOG, user=release.USER))


def exception(text: str) -> str:
    """Return on one line what stands below the last traceback, which itself is indented."""
    _, found, rest = text.rpartition(TRACEBACK)
    lines = [line for line in rest.splitlines() if line.strip() and not line[0].isspace()] if found else []
    return " ".join(itertools.takewhile(lambda line: not OTHERS.match(line), lines))[:ENOUGH]
