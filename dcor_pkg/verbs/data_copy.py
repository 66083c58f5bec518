"""Copy and count the data, each part as the user whose it is.

That user may exchange what is in it while it is copied, for a link to a file of root's or a directory of another
user's. A copy made as root would then contain what the link leads to.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from dcor_pkg.kernel.instance import MARKER
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.trusted_path import ROOT

#: in the new directory until the move is complete: a second attempt may continue with what the first has copied
MOVING = f"{MARKER}.moving"
#: the marker's name in the directory that the data have left
MOVED = f"{MARKER}.moved"
#: what is not copied: dcor-server's markers, and the file system's own directory
NOT_COPIED = (MARKER, MOVING, MOVED, "lost+found")
OPTIONS = ("--archive", "--hard-links", "--acls", "--xattrs", "--delete")
#: for one copy: 100 TB at 300 MB/s
TIMEOUT_SECONDS = 4 * 24 * 3600.0


@dataclass(frozen=True)
class Part:
    """A directory: its path below the data directory ("" or "/NAME...") and its owner."""

    path: str
    owner: str


def copy(host: Host, old: str, new: str) -> None:
    """Make `new` equal to `old`. Raises DcorError."""
    parts = [part for part in _parts(host, old) if part.owner != ROOT]
    # First what is in directories that only root can change: the directories that contain the others.
    excluded = [*(f"/{name}" for name in NOT_COPIED), *(part.path for part in parts)]
    _rsync(host, ROOT, f"{old}/", f"{new}/", *(f"--exclude={_literal(path)}" for path in excluded))
    for part in parts:
        access = host.access(f"{old}{part.path}")
        if access is not None:
            host.make_directory(f"{new}{part.path}", access)
        _rsync(host, part.owner, f"{old}{part.path}/", f"{new}{part.path}/")


def count(host: Host, data: str) -> tuple[int, int]:
    """Return the number of data files and the sum of their sizes in bytes. Raises DcorError."""
    sizes = [size for part in _parts(host, data) for size in _sizes(host, data, part)]
    return len(sizes), sum(sizes)


def _parts(host: Host, data: str, path: str = "") -> Iterator[Part]:
    """Yield the directory, those below it up to the first of another user than root, and that one."""
    # Raises DcorError for a directory of root's in which others may write: nobody could copy it safely.
    host.require_trusted(f"{data}{path}/{MARKER}")
    yield Part(path, ROOT)
    for name in host.names(f"{data}{path}"):
        below = f"{path}/{name}"
        if below.lstrip("/") in NOT_COPIED or not stat.S_ISDIR(host.path(data + below).lstat().st_mode):
            continue
        access = host.access(data + below)
        if access is None or access.owner == ROOT:
            yield from _parts(host, data, below)
        else:
            yield Part(below, access.owner)


def _sizes(host: Host, data: str, part: Part) -> list[int]:
    """Return the sizes of the files in a part; of root's directories only of those that are in no other part."""
    place = f"{data}{part.path}"
    if part.owner == ROOT:
        files = [host.path(f"{place}/{name}").lstat() for name in host.names(place) if not name.startswith(MARKER)]
        return [file.st_size for file in files if not stat.S_ISDIR(file.st_mode)]
    found = ("find", place, "-ignore_readdir_race", "!", "-type", "d", "-printf", "%s\\n")
    return [int(size) for size in host.run(*found, user=part.owner, timeout=TIMEOUT_SECONDS).split()]


def _rsync(host: Host, user: str, source: str, target: str, *options: str) -> None:
    host.run(
        *("rsync", *OPTIONS, *options, source, target), user=None if user == ROOT else user, timeout=TIMEOUT_SECONDS
    )


def _literal(path: str) -> str:
    """Return a pattern of rsync that stands for one path (rsync(1), "Pattern matching rules")."""
    return re.sub(r"([*?\[\\])", r"\\\1", path) if re.search(r"[*?\[]", path) else path
