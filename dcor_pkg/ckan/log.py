"""What CKAN's web server has written to its log, for a message that says why it did not start.

CKAN's user owns the log's directory and could put a link to any file there, so root never reads it: that user does.
"""

from __future__ import annotations

import itertools
import re

from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_LOGS, CKAN_USER

LOG = f"{CKAN_LOGS}/web.log"
TRACEBACK = "Traceback (most recent call last):"
#: how a line begins that does not belong to an exception's message: lines of uWSGI, and entries of the log
OTHER_LINE = re.compile(r"unable to load app|\*\*\*|VACUUM|\[|[0-9]{4}-")
#: a FIFO in the place of the log would let its reader wait for ever
READ_SECONDS = 20.0
#: the longest message that is reported, in characters
MAX_LENGTH = 400


def size(host: Host) -> int:
    """Return the present size of the log in bytes."""
    return int(host.run("stat", "--dereference", "--format=%s", LOG, user=CKAN_USER))


def last_exception(host: Host, before: int) -> str:
    """Return the message of the last exception since the log had `before` bytes; "" if there is none."""
    start = before if before <= size(host) else 0  # a smaller log was rotated in the meantime
    return exception(host.run("tail", f"--bytes=+{start + 1}", LOG, user=CKAN_USER, timeout=READ_SECONDS))


def exception(text: str) -> str:
    """Return the message below the last traceback (whose own lines are indented) on one line; "" if there is none."""
    _, found, rest = text.rpartition(TRACEBACK)
    lines = [line for line in rest.splitlines() if line.strip() and not line[0].isspace()] if found else []
    return " ".join(itertools.takewhile(lambda line: not OTHER_LINE.match(line), lines))[:MAX_LENGTH]
