"""How the door writes: beside a file and then into its place, never through a link, with a sentence where it cannot."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dcor_pkg.errors import DcorError


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what the system says of a file into a sentence that names it."""
    try:
        yield
    except OSError as error:
        raise DcorError(f"{path} cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[int]:
    """Give a descriptor of a directory; a link is refused."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise DcorError(
            f"{directory} is no plain directory: {error.strerror}", hint="Is it a link? Name its target."
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def beside(target: Path) -> Iterator[tuple[int, Path]]:
    """Give a new empty file (0600) in the directory of `target`; remove it if it was not moved away."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        yield descriptor, Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory onto the disk."""
    with opened(directory) as descriptor:
        os.fsync(descriptor)
