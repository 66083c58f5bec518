"""The step that backs a server up before an upgrade: the database, and what is needed to read it.

Nothing is upgraded without it. It is written under another name, and has its own when it is complete and on the disk.
"""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass

from dcor_pkg.ckan import database_schema, migration_state, programs
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance, secrets
from dcor_pkg.machine import clock, disk, packages
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI, CONFIGURATION
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import copies, dump

#: debian/dcor-server.postrm knows it
DIRECTORY = "/var/backups/dcor-server/upgrades"
PRIVATE = Access(0o700)
DUMP = "database.dump"
KEPT = 3
TIME = "%Y%m%dT%H%M%S"
#: ends the name of a backup that has what a way back took from the site: nothing else has that, so each stays for
#: LEFT_SECONDS, however many there are, and no longer, since it has personal data that the site may not have any more
LEFT = "-left"
LEFT_SECONDS = 90 * 24 * 3600.0
#: a backup for the same upgrade that was complete no longer ago is not made again
FRESH_SECONDS = 900.0
#: besides the database
FILES = (
    *(f"{CONFIGURATION}/{name}" for name in ("dcor-server.conf", "tls", "ckan.d", "nginx.d")),
    *(secrets.DIRECTORY, CKAN_INI, instance.INSTANCE),
)
RESERVE_BYTES = 256 * disk.MIB


@dataclass(frozen=True)
class UpgradeBackup:
    """A backup from right before the switch to another release, or a migration of the database."""

    release: str
    database: Endpoint
    name: str = "backup before the upgrade"

    def check(self, host: Host) -> str | None:
        serving = programs.serving(host)
        if serving is None or migration_state.paused(host, self.release) is not None:
            return None
        if serving.release != self.release:
            what = f"the release {self.release} is about to replace {serving.release}"
        elif (drift := database_schema.outdated(host, self.release, self.database)) is not None:
            what = f"the database {drift}, so it is about to be migrated"
        else:
            return None
        return None if self._is_fresh(host) else f"{what}, and there is no backup from right before"

    def apply(self, host: Host) -> None:
        make(host, self.release, self.database)

    def _is_fresh(self, host: Host) -> bool:
        """Return whether there is one; its name has the time of its beginning, and the dump may have taken hours."""
        own = [f"{DIRECTORY}/{name}/{DUMP}" for name in ids(host) if name.endswith(f"-{self.release}")]
        ended = packages.time_of(host, *own)
        return ended is not None and 0 <= time.time() - ended < FRESH_SECONDS


def ids(host: Host) -> list[str]:
    """Return the ids of the complete backups, the oldest first."""
    return [name for name in host.names(DIRECTORY) if re.match(r"\d{8}T\d{6}-", name)]


def make(host: Host, label: str, database: Endpoint) -> str:
    """Back the server up, and return the directory; old ones go. Raises DcorError; then nothing of it remains.

    `label` says what for: the release, or the version of PostgreSQL.
    """
    made = f"{time.strftime(TIME, time.gmtime())}-{label}"
    unfinished = f"{DIRECTORY}/.{made}"
    try:
        _forget_unfinished(host)
        disk.require(host, DIRECTORY, copies.size(host, database) + RESERVE_BYTES)
        _write(host, unfinished, database)
    except DcorError as error:
        host.remove_tree(unfinished)
        hint = f"{error.hint}\nNothing is changed without a backup.".strip()
        raise DcorError(f"The backup in {DIRECTORY} failed: {error.reason}", hint) from None
    host.rename(unfinished, f"{DIRECTORY}/{made}")
    if not label.endswith(LEFT):
        _forget_old(host, made, label)
    return f"{DIRECTORY}/{made}"


def _forget_old(host: Host, made: str, label: str) -> None:
    """Keep one for each of the last upgrades, and all that a way back has left."""
    others = [name for name in ids(host) if name != made and not name.endswith(LEFT)]
    same = [name for name in others if name.endswith(f"-{label}")]
    older = [name for name in others if name not in same][: 1 - KEPT]
    for name in (*same, *older):
        host.remove_tree(f"{DIRECTORY}/{name}")


def forget_left(host: Host) -> None:
    """Remove what a way back has left longer ago than LEFT_SECONDS. Raises DcorError."""
    for name in ids(host):
        begun = calendar.timegm(time.strptime(name.partition("-")[0], TIME))
        if name.endswith(LEFT) and clock.is_possible() and time.time() - begun > LEFT_SECONDS:
            host.remove_tree(f"{DIRECTORY}/{name}")


def make_directory(host: Host, path: str) -> None:
    """Make a directory below DIRECTORY, which only root may enter."""
    for it in (DIRECTORY.rpartition("/")[0], DIRECTORY, path):
        host.make_directory(it, PRIVATE)


def _write(host: Host, unfinished: str, database: Endpoint) -> None:
    make_directory(host, unfinished)
    dump.into(host, database, f"{unfinished}/{DUMP}")
    for path in filter(host.exists, FILES):
        host.run("cp", "--archive", path, f"{unfinished}/{path.rpartition('/')[2]}")
    host.run("sync", "--file-system", unfinished)


def _forget_unfinished(host: Host) -> None:
    for name in host.names(DIRECTORY):
        if name.startswith("."):
            host.remove_tree(f"{DIRECTORY}/{name}")
