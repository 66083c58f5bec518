"""Make a file that was not there, in whatever directory an administrator names; an error leaves nothing of it."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Callable, Iterator

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import atomic, disk, trusted_path
from dcor_pkg.machine.file_errors import explained
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.machine.trusted_path import ANYBODY, Place, Tree

NEW, MODE = os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
#: free bytes of the disk, without which nothing is begun
ROOM = disk.MIB


@contextlib.contextmanager
def made(host: Host, path: str) -> Iterator[Callable[[bytes], None]]:
    """Make an empty file (0600, of root), and give what writes all of it and brings it onto the disk.

    Whatever has its name already, a link too, is left alone. The directory may be another user's, who can remove the
    file then, and not read it. An error in the block removes it. Raises DcorError.
    """
    with explained(host.root, path, "made"), _place(host, path) as place:
        disk.require(host, path, ROOM)
        descriptor = _new(place)
        try:
            yield lambda content: _write(place, descriptor, content)
        except BaseException:
            _remove(place)
            raise
        finally:
            os.close(descriptor)


def _place(host: Host, path: str) -> contextlib.AbstractContextManager[Place]:
    return trusted_path.opened(Tree(host.root, _owner), path, ANYBODY)


def _new(place: Place) -> int:
    """Return a descriptor of the new file. Raises DcorError where there is something already, and OSError."""
    try:
        return place.open(NEW, MODE)
    except FileExistsError:
        directory = os.path.isdir(place.real)  # noqa: PTH112 (only for the words of a message)
        raise _in_the_way(place.wanted, directory=directory) from None
    except IsADirectoryError:
        raise _in_the_way(place.wanted, directory=True) from None


def _in_the_way(path: str, *, directory: bool) -> DcorError:
    if directory:
        hint = _("Name a new file in it, for example {file}.").format(file=f"{path.rstrip('/')}/NEW")
        return DcorError(_("{path} is a directory.").format(path=path), hint)
    reason = _("{path} exists, and is not overwritten.").format(path=path)
    return DcorError(reason, _("Move it away, or name another file."))


def _write(place: Place, descriptor: int, content: bytes) -> None:
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    atomic.sync(place)


def _remove(place: Place) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.name, dir_fd=place.directory)


def _owner(found: os.stat_result) -> str:
    """Return the name of the owner, or the number where it has no name on this machine."""
    try:
        return pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        return str(found.st_uid)
