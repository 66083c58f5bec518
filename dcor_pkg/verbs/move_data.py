"""Move the data to another directory: copied while the server runs, completed while it stands, and counted.

The former directory keeps all but its mark, so that nobody takes the one for the other; an admin removes it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.ckan import supervisor
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.kernel.data_directory import ACCESS, INSTANCE, MARKER, marker, missing_data
from dcor_pkg.machine import disk, lock
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store import local as object_store

#: in the new directory until all is there: a second try may go on with what the first has copied
MOVING = f"{MARKER}.moving"
#: the mark's name in the directory that the data have left
MOVED = f"{MARKER}.moved"
#: what a directory that is called empty may hold
NO_DATA = {"lost+found", MOVING}
#: seconds for one copy: 100 TB at 300 MB/s
PATIENCE = 4 * 24 * 3600.0
#: bytes that stay free
RESERVE = disk.GIB


def move(host: Host, path: str, tell: Callable[[str], None]) -> None:
    """Move the data to `path`; a converge has to follow. Raises DcorError, with the server on its old data."""
    settings = settings_file.load(host)
    wanted = replace(settings, data_directory=path)
    old, new, store = settings.data, wanted.data, endpoints.of(settings).object_store
    with lock.held(host):
        _validate(host, old, new)
        host.make_directory(new, ACCESS)
        host.write(f"{new}/{MOVING}", host.read(INSTANCE) or "", Access(0o644))
        if not store.local:
            tell(f"The measurements are in {store.origin}; what moves is what CKAN stores itself.")
        tell(f"Copying {old} to {new}; the server goes on meanwhile.")
        _copy(host, old, new)
        tell("Copying what has changed since; the server answers 503 meanwhile.")
        with _standing(host, store_is_here=store.local):
            _copy(host, old, new)
            files, size = _compare(host, old, new)
            host.rename(f"{new}/{MOVING}", marker(new))
            settings_file.save(host, wanted)
            host.rename(marker(old), f"{old}/{MOVED}")
    tell(
        f"{files} files with {size} bytes are in {new}. {old} keeps its copy: remove it when you have seen that all is well."
    )


def _validate(host: Host, old: str, new: str) -> None:
    def refused(reason: str, hint: str) -> InvalidAnswer:
        return InvalidAnswer("dcor-server/data-directory", new, reason, hint)

    lost = missing_data(host, old)
    if lost is not None or host.read(INSTANCE) is None:
        raise DcorError(lost or "There are no data yet.", hint="Data can only be moved from where they are.")
    if Path(new) == Path(old) or Path(new) in Path(old).parents or Path(old) in Path(new).parents:
        raise refused(f"is {old}, or in it, or around it", "Choose a directory elsewhere.")
    if host.exists(new) and not host.path(new).is_dir():
        raise refused("is no directory", "Choose another place.")
    is_ours = host.read(f"{new}/{MOVING}") == host.read(INSTANCE)
    strange = [] if is_ours else [name for name in host.names(new) if name not in NO_DATA]
    if strange:
        raise refused(f"is not empty: it holds {strange[0]}", "Choose an empty directory, or a new one.")
    needed = _count(host, old)[1] - (_count(host, new)[1] if is_ours else 0) + RESERVE
    free = disk.free(host, new)
    if free < needed:
        raise refused(
            f"has {free // disk.MIB} MB of free space, and {needed // disk.MIB} MB are needed", "df -h shows the disks."
        )


def _copy(host: Host, old: str, new: str) -> None:
    """Make `new` as `old` is; our marks and a file system's own directory are not data."""
    outside = [f"--exclude=/{name}" for name in (MARKER, MOVING, MOVED, "lost+found")]
    host.run(
        *("rsync", "--archive", "--hard-links", "--acls", "--xattrs", "--delete", *outside),
        f"{old}/",
        f"{new}/",
        timeout=PATIENCE,
    )


def _compare(host: Host, old: str, new: str) -> tuple[int, int]:
    """Return how many files and bytes there are. Raises DcorError where the two directories differ."""
    before, after = _count(host, old), _count(host, new)
    if before != after:
        raise DcorError(
            f"{old} has {before[0]} files with {before[1]} bytes, and the copy {after[0]} with {after[1]}.",
            hint="Does anything else write there? Nothing was changed; the server goes on with the former directory.",
        )
    return after


def _count(host: Host, path: str) -> tuple[int, int]:
    """Return the number of data files and the sum of their sizes in bytes."""
    sizes = [
        os.lstat(os.path.join(directory, name)).st_size
        for directory, _, names in os.walk(host.path(path))
        for name in names
        if not name.startswith(MARKER)
    ]
    return len(sizes), sum(sizes)


@contextlib.contextmanager
def _standing(host: Host, *, store_is_here: bool) -> Iterator[None]:
    """Hold everything that writes data. Where the move fails all is started again; else the converge does so."""
    host.write(nginx.MAINTENANCE, "", Access(0o644))
    programs = [name for name, state in supervisor.states(host).items() if state == supervisor.RUNNING]
    try:
        for program in programs:
            supervisor.stop(host, program)
        if store_is_here:
            host.run("systemctl", "stop", object_store.UNIT)
        yield
    except BaseException:
        if store_is_here:
            host.run("systemctl", "start", object_store.UNIT)
        for program in programs:
            supervisor.start(host, program)
        raise
    finally:
        host.remove(nginx.MAINTENANCE)
