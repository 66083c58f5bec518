"""The folders that machines and commands write to: made, and removed without a trace, whoever was killed."""

from __future__ import annotations

import atexit
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dcor_dev import nspawn
from dcor_dev.cache import CACHE

#: Where the upper folders of what runs lie: one file system with the layers that they become.
MACHINES = CACHE / "machines"

_removals: list[subprocess.Popen[bytes]] = []


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Give a new folder for a room, named after its maker's process so that an abandoned one is known for it."""
    remove_abandoned()
    folder = MACHINES / f"{name}-{secrets.token_hex(4)}-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a room without waiting: where the disk is told of each freed block, a whole server takes a minute.

    It has another name at once, and this process does not end before it is gone.
    """
    gone = folder.with_name(f"gone-{secrets.token_hex(4)}-{os.getpid()}")
    folder.rename(gone)
    _removals.append(subprocess.Popen(["rm", "-rf", "--", str(gone)], start_new_session=True))


@atexit.register
def wait_for_removals() -> None:
    """Wait until what was removed is gone."""
    while _removals:
        _removals.pop().wait()


def remove_abandoned(rooms: Path = MACHINES) -> None:
    """Remove the folders of rooms whose maker was killed before it could clear up."""
    for folder in rooms.glob("*-*"):
        maker = folder.name.rpartition("-")[2]
        if maker.isdigit() and not Path(f"/proc/{maker}").exists() and not nspawn.running(folder):
            nspawn.Container(folder, ()).clear_up()
            with suppress(FileNotFoundError):  # another process does the same
                remove(folder)
