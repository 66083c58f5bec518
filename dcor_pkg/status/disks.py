"""The space and the inodes of each place where the server writes; a place on the same disk as another is shown once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcor_pkg.answers.settings import ROWS, Settings
from dcor_pkg.ckan import release, upgrade_backup
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoints
from dcor_pkg.status.part import Part

#: below which Debian's clusters have their data
POSTGRESQL = "/var/lib/postgresql"
#: where nginx has requests to CKAN until their last byte has arrived, of 20 MB at most, and answers for slow clients
NGINX = "/var/lib/nginx"
#: what programs write in passing, a mail for example; larger uploads to CKAN are in the scratch directory
LOGS, TEMPORARY = "/var/log", "/tmp"  # noqa: S108 (examined, not used)
#: free bytes of a place below which there is a problem; elsewhere a GiB: uploads and the database need it
LEAST = {LOGS: 100 * disk.MIB, TEMPORARY: 100 * disk.MIB, NGINX: 100 * disk.MIB}
#: a large measurement
LARGE = 10 * disk.GIB
#: with so many times the least there is a warning
EARLY = 5
#: of files that can still be made: a release has 50000
LEAST_INODES, FEW_INODES = 1000, 100_000


def places(settings: Settings) -> tuple[str, ...]:
    """Return the directories; the first two are shown in any case."""
    backups = upgrade_backup.DIRECTORY
    return (settings.data, release.DIRECTORY, settings.scratch, POSTGRESQL, backups, NGINX, LOGS, TEMPORARY)


def largest_upload(settings: Settings, path: str) -> int:
    """Return the bytes of the largest upload that a place has to have room for: measurements go to a local store.

    An administrator who has set `upload-limit` expects files of that size; by default it is larger than many disks.
    """
    if path != settings.data or not endpoints.of(settings).object_store.local:
        return 0
    limit = int(settings.upload_limit) * disk.MIB
    return min(limit, LARGE) if settings.upload_limit == ROWS["upload-limit"].default else limit


def of_data(host: Host, settings: Settings) -> list[Part]:
    """Return the disks without whose space no release could write."""
    others = [path for path in (POSTGRESQL, upgrade_backup.DIRECTORY) if host.exists(path)]
    return list(distinct(part(host, path) for path in (settings.data, release.DIRECTORY, *others)))


def part(host: Host, path: str, upload: int = 0) -> Part:
    """Return the disk of a place; PostgreSQL and the object store stop accepting data when theirs is full.

    `upload`: the bytes of the largest file that may be uploaded to it.
    """
    free, least = disk.free(host, path), LEAST.get(path, disk.GIB)
    inodes, of_inodes = disk.free_inodes(host, path)
    problem = warning = None
    if free < least:
        problem = f"only {free // disk.MIB} MiB are free"
    elif of_inodes and inodes < LEAST_INODES:
        problem = f"only {inodes} more files can be made, though {free // disk.MIB} MiB are free"
    elif free < EARLY * least:
        warning = f"{free // disk.MIB} MiB are free"
    elif free < upload:
        warning = f"{free // disk.MIB} MiB are free: no room for an upload of {upload // disk.MIB} MiB, as upload-limit allows"
    elif of_inodes and inodes < FEW_INODES:
        warning = f"{inodes} more files can be made"
    return Part(
        f"disk of {path}",
        problem,
        f"{free // disk.GIB} GiB are free",
        warning=warning or "",
        numbers={"free_bytes": free, **({"free_inodes": inodes} if of_inodes else {})},
        device=disk.device(host, path),
    )


def distinct(parts: Iterable[Part], always: int = 2) -> Iterator[Part]:
    """Give the parts without those disks that were given before; the first ones are given in any case."""
    seen: set[int | None] = {None}
    for it in parts:
        if it.device is None or it.device not in seen or always > 0:
            yield it
        always -= it.device is not None
        seen.add(it.device)
