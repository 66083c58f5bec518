"""Free space on the disks: required before a change that needs it, and shown in the status."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.file_errors import explained
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _

#: bytes
MIB = 1024**2
GIB = 1024**3


def free(host: Host, path: str) -> int:
    """Return the free bytes of the file system that holds `path`, or will hold it when it is made. Raises DcorError."""
    place = nearest(host, path)
    with explained(host.root, place, "examined"):
        return shutil.disk_usage(host.path(place)).free


def free_inodes(host: Host, path: str) -> tuple[int, int]:
    """Return how many more files the same file system can hold, and of how many; (0, 0) where it has no such limit.

    Raises DcorError.
    """
    place = nearest(host, path)
    with explained(host.root, place, "examined"):
        found = os.statvfs(host.path(place))
    return found.f_favail, found.f_files


def device(host: Host, path: str) -> int:
    """Return the number of the file system that holds `path`, or will hold it. Raises DcorError."""
    place = nearest(host, path)
    with explained(host.root, place, "examined"):
        return host.path(place).stat().st_dev


def nearest(host: Host, path: str) -> str:
    """Return a path, or the nearest one above it that exists."""
    return next(str(place) for place in (Path(path), *Path(path).parents) if host.path(str(place)).exists())


def require(host: Host, path: str, wanted: int) -> None:
    """Raise DcorError where fewer than `wanted` bytes are free."""
    found = free(host, path)
    if found < wanted:
        raise DcorError(
            _("{path} has {free} MiB of free space, and {wanted} MiB are needed.").format(
                path=path, free=found // MIB, wanted=wanted // MIB
            ),
            hint=_("df -h shows the disks."),
        )
