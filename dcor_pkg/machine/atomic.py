"""Replace a file in one step: write a new one in the same directory, bring it onto the disk, rename it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dcor_pkg.errors import DcorError


@contextlib.contextmanager
def open_directory(directory: Path) -> Iterator[int]:
    """Give a descriptor of a directory. Raises DcorError for a symbolic link and for what is not one, and OSError."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except NotADirectoryError:
        if directory.is_symlink():
            raise DcorError(f"{directory} is a symbolic link.", hint="Name the directory that it leads to.") from None
        raise DcorError(f"{directory} is not a directory.", hint="A directory belongs there: move it away.") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def new_file(target: Path) -> Iterator[tuple[int, Path]]:
    """Give a new empty file (0600) in the directory of `target`; it is removed unless it was renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        yield descriptor, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory onto the disk."""
    with open_directory(directory) as descriptor:
        os.fsync(descriptor)
