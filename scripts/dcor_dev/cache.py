"""Cache what is expensive to make outside the checkout, under a key of its inputs.

All checkouts of a user share the cache; what is missing in it is made again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CACHE = Path.home() / ".cache" / "dcor-server"

#: An entry that was not used for so many seconds is removed when a new one of its kind is made.
UNUSED_SECONDS = 21 * 86400
#: So many entries of a family (with the same name except for the key) stay, the ones that were last used.
ENTRIES_PER_FAMILY = 4


def key(*inputs: str | bytes | Path) -> str:
    """Return a hash of the inputs: texts, and the content of files and directories."""
    digest = hashlib.sha256()
    for each in inputs:
        data = _directory_digest(each) if isinstance(each, Path) and each.is_dir() else _bytes(each)
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:24]


def directory(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the directory CACHE/kind/name; if it does not exist, call `make` with an empty directory to fill.

    That directory is renamed when it is complete, so an existing entry is complete. A process that needs an entry
    which another process is making waits for it.
    """
    parent = CACHE / kind
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / name
    lock = parent / f".{name}.lock"
    with _locked(lock):
        # Records the last use. The directory's own mtime is part of its content: in a root it is that of "/".
        lock.touch()
        if not target.exists():
            with alone("removal"):
                _remove_old(parent, target)
            _make(target, make)
    return target


@contextmanager
def alone(task: str) -> Iterator[None]:
    """Hold a lock, so that no other process does this task at the same time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f".{task}.lock"):
        yield


def _make(target: Path, make: Callable[[Path], None]) -> None:
    new = target.with_name(f".{target.name}.new")
    if new.exists():  # left by a process that was killed: this one holds the lock now
        shutil.rmtree(new)
    new.mkdir()
    try:
        make(new)
        new.rename(target)
    finally:
        if new.exists():
            shutil.rmtree(new)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    while True:
        with path.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another process may have removed the file during the wait: then the lock on it excludes nobody.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(lock.fileno())):
                yield
                return


def _remove_old(parent: Path, wanted: Path) -> None:
    """Remove entries that are too old or too many and not in use, counting `wanted`, which is about to be made."""
    seen = {_family(wanted.name): 1}
    for lock in sorted(parent.glob(".*.lock"), key=lambda path: path.stat().st_mtime, reverse=True):
        old = parent / lock.name[1 : -len(".lock")]
        family = _family(old.name)
        seen[family] = seen.get(family, 0) + (old != wanted)
        last_used = lock.stat().st_mtime
        too_many, too_old = seen[family] > ENTRIES_PER_FAMILY, last_used < time.time() - UNUSED_SECONDS
        if old != wanted and (too_many or too_old):
            _remove_unused(old, lock, last_used)


def _remove_unused(old: Path, lock: Path, last_used: float) -> None:
    """Remove an entry, unless it is mounted, locked, or used since `last_used` (seconds since the epoch)."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if lock.stat().st_mtime == last_used and not _mounted(old):
            for directory in (old, old.with_name(f".{old.name}.new")):
                if directory.exists():
                    shutil.rmtree(directory)
            lock.unlink()


def _mounted(directory: Path) -> bool:
    """Return whether the directory is mounted in the namespace of any process, as a machine's layers are."""
    for mounts in Path("/proc").glob("[0-9]*/mountinfo"):
        with suppress(OSError):  # the process has ended, or belongs to another user
            if str(directory) in mounts.read_text(errors="replace"):
                return True
    return False


def _family(name: str) -> str:
    return name.rpartition("-")[0] or name


def _bytes(source: str | bytes | Path) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            return _stream_digest(iter(lambda: file.read(1 << 20), b""))
    return source.encode() if isinstance(source, str) else source


def _stream_digest(blocks: Iterator[bytes]) -> bytes:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.digest()


def _directory_digest(top: Path) -> bytes:
    """Return a hash of all names, executable bits, links and contents below a directory, without times and owners."""
    digest = hashlib.sha256()
    for path in sorted(top.rglob("*")):
        if "__pycache__" in path.parts:
            continue
        name = str(path.relative_to(top))
        if path.is_symlink():
            digest.update(f"link {name} {path.readlink()}\0".encode())
        elif path.is_file():
            digest.update(f"file {name} {path.stat().st_mode & 0o111:o}\0".encode() + _bytes(path))
    return digest.digest()
