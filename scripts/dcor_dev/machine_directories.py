"""Create and remove the directories that machines write to; those of killed processes are removed as well."""

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

#: The directories of running machines; on the same file system as the layers that are made of them by renaming.
MACHINES = CACHE / "machines"

_removals: list[subprocess.Popen[bytes]] = []


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Provide a new directory for a container, and remove it afterwards.

    Its name ends in the pid of this process, so that remove_abandoned() recognizes it when the process was killed.
    """
    remove_abandoned()
    directory = MACHINES / f"{name}-{secrets.token_hex(4)}-{os.getpid()}"
    directory.mkdir(parents=True)
    try:
        yield directory
    finally:
        remove(directory)


def remove(directory: Path) -> None:
    """Remove a directory in the background: where a file system discards freed blocks, a server takes a minute.

    It is renamed at once, and this process does not exit before it is removed.
    """
    gone = directory.with_name(f"gone-{secrets.token_hex(4)}-{os.getpid()}")
    directory.rename(gone)
    _removals.append(subprocess.Popen(["rm", "-rf", "--", str(gone)], start_new_session=True))


@atexit.register
def wait_for_removals() -> None:
    """Wait until all directories that were passed to remove() are gone."""
    while _removals:
        _removals.pop().wait()


def remove_abandoned(machines: Path = MACHINES) -> None:
    """Remove the directories of machines whose process was killed before it could remove them."""
    for directory in machines.glob("*-*"):
        maker = directory.name.rpartition("-")[2]
        if maker.isdigit() and not Path(f"/proc/{maker}").exists() and not nspawn.running(directory):
            nspawn.Container(directory, ()).clear_up()
            with suppress(FileNotFoundError):  # another process removes it, too
                remove(directory)
