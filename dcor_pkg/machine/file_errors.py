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
from dcor_pkg.machine.language import _, marked

#: better than the system's words
WORDS = {
    errno.ELOOP: marked("it is a symbolic link, or links lead in a circle"),
    errno.ENXIO: marked("it is a FIFO or a socket, not a regular file"),
}
#: those of the system's (errno(3)) that a wrong path leads to
SYSTEMS_WORDS = (
    marked("No such file or directory"),
    marked("Not a directory"),
    marked("Is a directory"),
    marked("Permission denied"),
    marked("Operation not permitted"),
    marked("File name too long"),
    marked("No space left on device"),
    marked("Disk quota exceeded"),
    marked("Read-only file system"),
    marked("Input/output error"),
    marked("Device or resource busy"),
)
#: what is attempted with a file
ATTEMPTS = (
    marked("read"),
    marked("written"),
    marked("made"),
    marked("removed"),
    marked("listed"),
    marked("examined"),
    marked("opened"),
    marked("locked"),
)
#: what to do about an error of the system (errno(3)); {path} is the file
HINTS = {
    errno.EACCES: marked("ls -ld {path} and lsattr -d {path} show who may change it."),
    errno.EPERM: marked("ls -ld {path} and lsattr -d {path} show who may change it."),
    errno.EISDIR: marked("There is a directory where a file belongs: move it away."),
    errno.ELOOP: marked("A link is not allowed there: namei -l {path} shows it, and where it leads."),
    errno.ENOSPC: marked("The disk is full: df -h shows the disks, df -i their inodes."),
    errno.EDQUOT: marked("The disk quota is used up."),
    errno.EROFS: marked("The file system is mounted read-only: findmnt --target {path}"),
    errno.EIO: marked("The disk reports an error: journalctl --dmesg"),
    errno.EBUSY: marked("A file system may be mounted there: findmnt {path}"),
    errno.ENXIO: marked("A file belongs there: move away what is in its place."),
    errno.EXDEV: marked("Both names have to be on one file system."),
    errno.ENAMETOOLONG: marked("A name has at most 255 bytes, and a path 4095."),
}
#: where none of these fits
OTHER_HINT = marked("namei -l {path} shows each part of the path.")
KINDS = {
    stat.S_IFREG: marked("a regular file"),
    stat.S_IFLNK: marked("a symbolic link"),
    stat.S_IFDIR: marked("a directory"),
    stat.S_IFIFO: marked("a FIFO"),
    stat.S_IFSOCK: marked("a socket"),
    stat.S_IFCHR: marked("a device"),
    stat.S_IFBLK: marked("a device"),
}


@contextlib.contextmanager
def explained(root: Path, path: str, attempt: str) -> Iterator[None]:
    """Turn an OSError into a DcorError: PATH cannot be ATTEMPT ("written", "removed"), why, and what to do.

    `root` is the directory that stands for `/`.
    """
    try:
        yield
    except OSError as error:
        why = _(WORDS.get(error.errno or 0) or error.strerror or str(error))
        reason = _("{path} cannot be {attempt}: {why}").format(path=path, attempt=_(attempt), why=why)
        raise DcorError(reason, _hint(root, path, error)) from None


def require_regular(path: str, attempt: str, descriptor: int) -> None:
    """Raise DcorError for an open file that is not a regular one."""
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        text = _("{path} cannot be {attempt}: it is {kind}, not a regular file")
        raise DcorError(text.format(path=path, attempt=_(attempt), kind=_(KINDS[kind])), _(HINTS[errno.ENXIO]))


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
            return _("{path} is not a directory, and one belongs there: move it away.").format(path=obstacle)
    return _(HINTS.get(error.errno or 0, OTHER_HINT)).format(path=path)


def _obstacle(root: Path, path: str) -> str | None:
    """Return the first part of a path that exists and is not a directory."""
    parts = [*reversed(Path(path).parents), Path(path)]
    found = (part for part in parts if os.path.lexists(root / str(part).lstrip("/")))
    return next((str(part) for part in found if not (root / str(part).lstrip("/")).is_dir()), None)
