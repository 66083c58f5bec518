"""Say in a sentence what is wrong with a file: its path, what was attempted, why it failed, what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from dcor_pkg.errors import DcorError

#: better than the system's words
WORDS = {
    errno.ELOOP: "it is a symbolic link, or links lead in a circle",
    errno.ENXIO: "it is a FIFO or a socket, not a regular file",
}
#: what to do about an error of the system (errno(3)); {path} is the file
HINTS = {
    errno.EACCES: "ls -ld {path} and lsattr -d {path} show who may change it.",
    errno.EPERM: "ls -ld {path} and lsattr -d {path} show who may change it.",
    errno.EISDIR: "There is a directory where a file belongs: move it away.",
    errno.ELOOP: "A link is not allowed there: namei -l {path} shows it, and where it leads.",
    errno.ENOSPC: "The disk is full: df -h shows the disks, df -i their inodes.",
    errno.EDQUOT: "The disk quota is used up.",
    errno.EROFS: "The file system is mounted read-only: findmnt --target {path}",
    errno.EIO: "The disk reports an error: journalctl --dmesg",
    errno.EBUSY: "A file system may be mounted there: findmnt {path}",
    errno.ENXIO: "A file belongs there: move away what is in its place.",
    errno.EXDEV: "Both names have to be on one file system.",
    errno.ENAMETOOLONG: "A name has at most 255 bytes, and a path 4095.",
}
#: where none of these fits
OTHER_HINT = "namei -l {path} shows each part of the path."
KINDS = {
    stat.S_IFREG: "a regular file",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextlib.contextmanager
def explained(root: Path, path: str, attempt: str) -> Iterator[None]:
    """Turn an OSError into a DcorError: PATH cannot be ATTEMPT ("written", "removed"), why, and what to do.

    `root` is the directory that stands for `/`.
    """
    try:
        yield
    except OSError as error:
        why = WORDS.get(error.errno or 0) or error.strerror or error
        reason = f"{path} cannot be {attempt}: {why}"
        raise DcorError(reason, _hint(root, path, error)) from None


def require_regular(path: str, attempt: str, descriptor: int) -> None:
    """Raise DcorError for an open file that is not a regular one."""
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        reason = f"{path} cannot be {attempt}: it is {KINDS[kind]}, not a regular file"
        raise DcorError(reason, "A file belongs there: move away what is in its place.")


def regular_file(path: str, attempt: str, descriptor: int) -> IO[str]:
    """Return an open file, to be "read" or "written" as text; bytes that are not UTF-8 survive.

    Raises DcorError where it is not a regular file: such a one may have no end, or let its reader wait for ever.
    """
    try:
        require_regular(path, attempt, descriptor)
    except DcorError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "r" if attempt == "read" else "w", encoding="utf-8", errors="surrogateescape")


def _hint(root: Path, path: str, error: OSError) -> str:
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        obstacle = _obstacle(root, path)
        if obstacle is not None:
            return f"{obstacle} is not a directory, and one belongs there: move it away."
    return HINTS.get(error.errno or 0, OTHER_HINT).format(path=path)


def _obstacle(root: Path, path: str) -> str | None:
    """Return the first part of a path that exists and is not a directory."""
    parts = [*reversed(Path(path).parents), Path(path)]
    found = (part for part in parts if os.path.lexists(root / str(part).lstrip("/")))
    return next((str(part) for part in found if not (root / str(part).lstrip("/")).is_dir()), None)
