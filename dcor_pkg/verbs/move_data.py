"""`dcor-server move-data`: move the data to another directory.

The data are copied while the server runs, the copy is completed while the server answers 503, and both are counted.
The old directory keeps its copy but not its marker, so that the two cannot be confused; an administrator removes it.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.ckan import supervisor
from dcor_pkg.errors import DcorError, undoing
from dcor_pkg.kernel import data_directory, settings_file
from dcor_pkg.kernel.data_directory import missing_data
from dcor_pkg.kernel.instance import INSTANCE, marker
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.verbs import data_copy
from dcor_pkg.verbs.converge import converge_after
from dcor_pkg.verbs.data_copy import MOVED, MOVING
from dcor_pkg.verbs.verb import JSON, Console, Verb, argument

#: names that a directory may contain and still counts as empty
NO_DATA = {*data_directory.NO_DATA, MOVING}
#: stays free on the new disk
RESERVE_BYTES = disk.GIB


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Move the data, then converge: that starts everything on the new directory."""
    report = console.err if options.json else console.out
    return converge_after(host, options, console, lambda: move(host, options.directory, report))


def move(host: Host, path: str, report: Callable[[str], None]) -> None:
    """Move the data to `path`; a converge has to follow, under the same lock.

    Raises DcorError, and the server keeps the old directory.
    """
    settings = settings_file.load(host)
    changed = replace(settings, data_directory=path)
    old, new, store = settings.data, changed.data, endpoints.of(settings).object_store
    _validate(host, old, new)
    data_directory.make(host, new)
    host.write(f"{new}/{MOVING}", host.read(INSTANCE) or "", Access(0o644))
    if not store.local:
        report(f"The measurements are in {store.origin} and stay there. Only the files of CKAN itself are moved.")
    report(f"Copying {old} to {new}. The server keeps running.")
    data_copy.copy(host, old, new)
    report("Copying what has changed since then. The server answers 503 until this is complete.")
    with _writers_stopped(host, stop_store=store.local):
        data_copy.copy(host, old, new)
        files, size = _compare(host, old, new)
        host.rename(f"{new}/{MOVING}", marker(new))
        settings_file.save(host, changed)
        host.rename(marker(old), f"{old}/{MOVED}")
    report(
        f"The data ({files} files, {size} bytes) are in {new}. {old} keeps its copy: "
        "remove it when you have checked the server."
    )


def _validate(host: Host, old: str, new: str) -> None:
    """Raise DcorError where the data cannot be moved; InvalidAnswer when the new directory is the reason."""
    lost = missing_data(host, old)
    if lost is not None or host.read(INSTANCE) is None:
        raise DcorError(
            lost or f"There are no data in {old} yet, so there is nothing to move.",
            "Mount the disk with the data first. On a new server: dcor-server set data-directory=DIRECTORY",
        )
    if Path(new) == Path(old) or Path(new) in Path(old).parents or Path(old) in Path(new).parents:
        raise _invalid(new, f"is {old} itself, inside it or above it", "Choose a directory outside of it.")
    if host.exists(new) and not host.path(new).is_dir():
        raise _invalid(new, "is not a directory", "Choose another path.")
    continues = host.read(f"{new}/{MOVING}") == host.read(INSTANCE)
    foreign = [] if continues else [name for name in host.names(new) if name not in NO_DATA]
    if foreign:
        raise _invalid(new, f"is not empty: it contains {foreign[0]}", "Choose an empty directory or a new one.")
    data_directory.check_access(host, new)
    _require_space(
        host, new, data_copy.count(host, old)[1] - (data_copy.count(host, new)[1] if continues else 0) + RESERVE_BYTES
    )


def _require_space(host: Host, new: str, needed: int) -> None:
    free = disk.free(host, new)
    if free < needed:
        reason = f"has {free // disk.MIB} MiB of free space, but {needed // disk.MIB} MiB are needed"
        raise _invalid(new, reason, "df -h shows the disks.")


def _invalid(new: str, reason: str, hint: str) -> InvalidAnswer:
    return InvalidAnswer("dcor-server/data-directory", new, reason, hint)


def _compare(host: Host, old: str, new: str) -> tuple[int, int]:
    """Return the number of files and bytes. Raises DcorError when the two directories differ in them."""
    before, after = data_copy.count(host, old), data_copy.count(host, new)
    if before != after:
        raise DcorError(
            f"The copy is not complete: {old} has {before[0]} files ({before[1]} bytes), "
            f"{new} has {after[0]} files ({after[1]} bytes).",
            "Check whether another program writes there, then try again. The server keeps using the old directory.",
        )
    return after


@contextlib.contextmanager
def _writers_stopped(host: Host, *, stop_store: bool) -> Iterator[None]:
    """Stop everything that writes data. When the move fails it is started again; otherwise the converge starts it."""
    host.write(nginx.MAINTENANCE, "", Access(0o644))
    running = [name for name, state in supervisor.states(host).items() if state == supervisor.RUNNING]
    try:
        for program in running:
            supervisor.stop(host, program)
        if stop_store:
            host.run("systemctl", "stop", object_store.UNIT)
        yield
    except BaseException as error:
        with undoing(error):
            if stop_store:
                host.run("systemctl", "start", object_store.UNIT)
            for program in running:
                supervisor.start(host, program)
        raise
    finally:
        host.remove(nginx.MAINTENANCE)


NEW = argument("directory", metavar="NEW", help="an empty directory, or one that does not exist yet")
VERB = Verb("move-data", "move the data to another directory and use it", run, (JSON, NEW), changes_machine=True)
