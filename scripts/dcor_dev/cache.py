"""Keep what is expensive to make outside the checkout, keyed by what it is made of.

A fresh clone finds what an older one made; without the cache everything is made anew.
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

#: What nobody has asked for in so many seconds goes when something new of its kind is made; and of each family (what
#: has the same name but for its key) all but so many that were asked for last.
UNUSED = 21 * 86400
KEPT = 4


def key(*inputs: str | bytes | Path) -> str:
    """Return a short name for exactly these inputs: texts as they are, files by content, directories by their tree."""
    digest = hashlib.sha256()
    for each in inputs:
        data = _directory_digest(each) if isinstance(each, Path) and each.is_dir() else _bytes(each)
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:24]


def directory(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the directory CACHE/kind/name, made by `make(empty directory)` if it is not there.

    It gets its name when it is complete, so one that is there can be relied on; whoever asks for the same
    one meanwhile waits instead of making it twice.
    """
    shelf = CACHE / kind
    shelf.mkdir(parents=True, exist_ok=True)
    target = shelf / name
    with _locked(shelf / f".{name}.lock"):
        if not target.exists():
            _remove_old(shelf, target)
            _make(target, make)
    # When it was last used. A directory's own mtime belongs to its content: in a root it becomes that of "/".
    (shelf / f".{name}.lock").touch()
    return target


def _make(target: Path, make: Callable[[Path], None]) -> None:
    beside = target.with_name(f".{target.name}.new")
    if beside.exists():  # of a run that was killed; ours is the lock now
        shutil.rmtree(beside)
    beside.mkdir()
    try:
        make(beside)
        beside.rename(target)
    finally:
        if beside.exists():
            shutil.rmtree(beside)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    while True:
        with path.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # While we waited, the file may have been removed as too old; then ours keeps nobody out.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(lock.fileno())):
                yield
                return


def _remove_old(shelf: Path, wanted: Path) -> None:
    """Remove what is too old or too many, if nobody makes or uses it; `wanted` is about to join its family."""
    seen = {_family(wanted.name): 1}
    for lock in sorted(shelf.glob(".*.lock"), key=lambda path: path.stat().st_mtime, reverse=True):
        old = shelf / lock.name[1 : -len(".lock")]
        family = _family(old.name)
        seen[family] = seen.get(family, 0) + (old != wanted)
        if old != wanted and (seen[family] > KEPT or lock.stat().st_mtime < time.time() - UNUSED):
            _remove_unused(old, lock)


def _remove_unused(old: Path, lock: Path) -> None:
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if not _mounted(old):
            for directory in (old, old.with_name(f".{old.name}.new")):
                if directory.exists():
                    shutil.rmtree(directory)
            lock.unlink()


def _mounted(directory: Path) -> bool:
    """Say whether any process sees this directory through an overlay: machines have mounts of their own."""
    for mounts in Path("/proc").glob("[0-9]*/mountinfo"):
        with suppress(OSError):  # it has ended, or is another user's
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
    """Digest names, executable bits, links and contents below a directory; times and owners do not count."""
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
