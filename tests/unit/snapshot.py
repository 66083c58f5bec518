"""A snapshot of all files of a machine: two are equal only where nothing was changed in between."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dcor_pkg.machine.host import Access, Host


@dataclass(frozen=True)
class File:
    """What is known of one name."""

    inode: int
    access: Access | None
    #: nanoseconds
    modified: int
    changed: int
    content: bytes
    target: str | None


def files(host: Host) -> dict[str, File]:
    """Return all files, directories and links by their paths."""
    return {f"/{path.relative_to(host.root)}": _file(host, path) for path in sorted(host.root.rglob("*"))}


def _file(host: Host, path: Path) -> File:
    found = path.lstat()
    content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    target = os.readlink(path) if path.is_symlink() else None  # noqa: PTH115 (a Path would change "./target")
    access = host.access(f"/{path.relative_to(host.root)}")
    return File(found.st_ino, access, found.st_mtime_ns, found.st_ctime_ns, content, target)
