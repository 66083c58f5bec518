"""Replace a file in one step: write a new one in the same directory, bring it onto the disk, rename it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.trusted_path import Place


@contextlib.contextmanager
def directory(place: Place, path: str) -> Iterator[int]:
    """Give a descriptor of a directory, made where there is none. Raises DcorError for what is not one, and OSError."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(place.name, 0o755, dir_fd=place.directory)
    try:
        descriptor = place.open(os.O_RDONLY | os.O_DIRECTORY)
    except NotADirectoryError:
        if place.is_link():
            raise DcorError(f"{path} is a symbolic link.", hint="Name the directory that it leads to.") from None
        raise DcorError(f"{path} is not a directory.", hint="A directory belongs there: move it away.") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def new_file(place: Place) -> Iterator[int]:
    """Give a new empty file (0600) next to a place, and rename it to the place's name. An error leaves nothing."""
    name = f".{place.name}.{secrets.token_hex(4)}"
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=place.directory)
    try:
        yield descriptor
        os.replace(name, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
    except BaseException:
        os.unlink(name, dir_fd=place.directory)
        raise
    sync(place)


def sync(place: Place) -> None:
    """Bring the names in the directory of a place onto the disk."""
    descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place.directory)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link(place: Place, target: str) -> None:
    """Make a symbolic link, or exchange what has its name."""
    new = f".{place.name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=place.directory)
    os.symlink(target, new, dir_fd=place.directory)
    os.replace(new, place.name, src_dir_fd=place.directory, dst_dir_fd=place.directory)
