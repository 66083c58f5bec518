"""Try to lock a file in each directory that is named, as HDF5 does (flock(2)); print as JSON what speaks against it.

Its user is CKAN's: what root may lock need not be what CKAN may lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path

#: a server of locks that does not answer
TIMEOUT_SECONDS = 5
#: file systems whose locks depend on another machine or program: they may work at one moment and not at the next
TYPES = re.compile(r"nfs4?|cifs|smb3|ceph|lustre|afs|9p|fuse(\..*)?")
#: the octal codes of characters in mountinfo (proc(5))
CODE = re.compile(r"\\([0-7]{3})")


def problem(directory: str, mounts: str) -> str:
    """Return why files of HDF5 should not be locked in a directory, or an empty text."""
    kind = kind_of(os.path.realpath(directory), mounts)
    if TYPES.fullmatch(kind):
        return f"it is on a file system of the type {kind}"
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            signal.alarm(TIMEOUT_SECONDS)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return f"a file in it cannot be locked: {error.strerror or error}"
    finally:
        signal.alarm(0)
    return ""


def kind_of(path: str, mounts: str) -> str:
    """Return the type of the file system of a path; of several mounts at one place the last one counts."""
    found = ("", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        place = CODE.sub(lambda code: chr(int(code[1], 8)), before.split()[4])
        if f"{path}/".startswith(f"{place.rstrip('/')}/") and len(place) >= len(found[0]):
            found = (place, after.split()[0])
    return found[1]


def late(*_: object) -> None:
    """End a trial that takes too long."""
    raise TimeoutError(f"no answer within {TIMEOUT_SECONDS} s")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, late)
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    sys.stdout.write(json.dumps({directory: problem(directory, text) for directory in sys.argv[1:]}))
