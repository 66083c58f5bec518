"""Room on the disks: asked for before a change that needs it, and told in the status."""

from __future__ import annotations

import shutil
from pathlib import Path

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host

MIB = 1024**2
GIB = 1024**3


def free(host: Host, path: str) -> int:
    """Return the free bytes of the file system that `path` lies on, or will lie on."""
    place = next(place for place in (Path(path), *Path(path).parents) if host.exists(str(place)))
    return shutil.disk_usage(host.path(str(place))).free


def require(host: Host, path: str, wanted: int) -> None:
    """Raise DcorError where fewer than `wanted` bytes are free."""
    found = free(host, path)
    if found < wanted:
        raise DcorError(
            f"{path} has {found // MIB} MB of free space, and {wanted // MIB} MB are needed.",
            hint="df -h shows the disks.",
        )
