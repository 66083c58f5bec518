"""Locks between commands: one for all that changes the machine, and one for making a release.

Each is a file that root alone reads and writes, locked with flock(2): the kernel gives the lock back when its holder
ends, however that is. The holder writes into the file who it is, for the message to those who wait.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dcor_pkg.errors import DcorError, command_line
from dcor_pkg.machine.file_errors import explained, require_regular
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _, marked

#: held by converge, by the timers and by maintainer scripts. Not in /run/lock, where every user may make files: one
#: who made this one first could let root wait for ever.
PATH = "/run/dcor-server.lock"
#: held while a release is made, which disturbs nothing else, not even dpkg
RELEASE = "/run/dcor-server-release.lock"
#: how long a command waits for another one
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.2
#: each command takes its lock before it changes anything
BUSY_HINT = marked("Nothing was changed. Try again when it has ended.")
#: more than the holder writes
RECORD_BYTES = 4096
#: for root alone: flock(2) lets everybody who may read a file lock it
MODE = 0o600


class Busy(DcorError):
    """Another command holds the lock."""


@contextlib.contextmanager
def held(host: Host, wait: float = WAIT_SECONDS, path: str = PATH) -> Iterator[None]:
    """Hold a lock. Raises Busy, which names the holder, where it is not free within `wait` seconds."""
    with _opened(host, path, os.O_RDWR | os.O_CREAT) as descriptor:
        os.fchmod(descriptor, MODE)
        deadline = time.monotonic() + wait
        while not _acquired(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise _busy(_holder(descriptor))
            time.sleep(POLL_SECONDS)
        _record(descriptor)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)


def _busy(holder: dict[str, str | int]) -> Busy:
    """Return the error of a lock that another command holds, about which this is known."""
    if not holder:
        return Busy(_("Another dcor-server command is running."), _(BUSY_HINT))
    text = _("Another dcor-server command is running: `{command}` (process {process}, since {since}).")
    return Busy(text.format(**holder), _(BUSY_HINT))


def is_held(host: Host, path: str) -> bool:
    """Tell whether a command holds a lock now; nothing is changed."""
    if not host.exists(path):
        return False
    with _opened(host, path, os.O_RDONLY) as descriptor:
        return not _acquired(descriptor, fcntl.LOCK_SH)


@contextlib.contextmanager
def _opened(host: Host, path: str, flags: int) -> Iterator[int]:
    with explained(host.root, path, "opened"):
        descriptor = os.open(host.path(path), flags | os.O_NOFOLLOW | os.O_NONBLOCK, MODE)
    try:
        require_regular(path, "locked", descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquired(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _record(descriptor: int) -> None:
    """Write who holds the lock, over what a holder has left that was killed."""
    command = command_line([Path(sys.argv[0]).name, *sys.argv[1:]])
    record = json.dumps({"process": os.getpid(), "command": command, "since": time.time()})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{record}\n".encode()[:RECORD_BYTES], 0)


def _holder(descriptor: int) -> dict[str, str | int]:
    """Return who holds the lock, or nothing where that is not recorded, or is a record of a process that has ended."""
    try:
        record = json.loads(os.pread(descriptor, RECORD_BYTES, 0))
        process, command, since = int(record["process"]), str(record["command"]), float(record["since"])
    except (ValueError, KeyError, TypeError):
        return {}
    if not Path(f"/proc/{process}").exists():
        return {}
    return {"command": command, "process": process, "since": _moment(since)}


def _moment(since: float) -> str:
    """Return the time of day, with the date where that is not today."""
    moment, today = time.localtime(since), time.localtime()
    return time.strftime("%H:%M" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M", moment)
