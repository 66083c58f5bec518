"""Write files so that neither a reader nor a power cut ever meets half of one: another name, fsync, rename, fsync."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

#: Errors of link(2) where a copy succeeds: another file system, one without hard links, or too many links already.
NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK)

#: How the name of a file begins that is not complete.
TEMPORARY = ".new."


def write(path: Path, data: bytes) -> None:
    """Write a file."""
    new = temporary(path)
    new.write_bytes(data)
    _put(new, path)


def bring(source: Path, path: Path) -> None:
    """Make `path` the same file as `source`, by a link or a copy; its directories are made where they are missing."""
    make_directory(path.parent)
    new = temporary(path)
    try:
        os.link(source, new)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        shutil.copyfile(source, new)
    _put(new, path)


def link_to(target: str, link: Path) -> None:
    """Make `link` lead to `target`; who follows it meets its former target or the new one, and never none."""
    make_directory(link.parent)
    new = temporary(link)
    new.symlink_to(target)
    new.replace(link)
    sync(link.parent)


def make_directory(directory: Path) -> None:
    """Make a directory, with those above it."""
    if not directory.is_dir():
        make_directory(directory.parent)
        directory.mkdir()
        sync(directory.parent)


def temporary(path: Path) -> Path:
    """Return the name for a file that is not complete, after removing what a process that was killed left there."""
    new = path.with_name(f"{TEMPORARY}{path.name}")
    new.unlink(missing_ok=True)
    return new


def temporary_directory(path: Path) -> Path:
    """Return an empty directory, to be renamed to `path` when it is complete; it is made anew if one was left."""
    new = path.with_name(f"{TEMPORARY}{path.name}")
    remove(new)
    make_directory(new)
    return new


def remove(path: Path) -> None:
    """Remove a file, a link, or a directory with all that is in it, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync_tree(top: Path) -> None:
    """Wait until all files and directories below `top`, and itself, are on the disk."""
    for path in (*top.rglob("*"), top):
        sync(path)


def sync(path: Path) -> None:
    """Wait until the file, or the names in the directory, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(new: Path, path: Path) -> None:
    new.chmod(0o644)
    sync(new)
    new.replace(path)
    sync(path.parent)
