"""Try in a directory what will be done there, and leave nothing of it: not each file system allows root everything.

NFS makes root an ordinary user (exports(5), "root_squash"), and file systems of other systems keep no owners.
"""

from __future__ import annotations

import os

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import disk
from dcor_pkg.machine.file_errors import explained
from dcor_pkg.machine.host import Access, Host

#: the name of a file that exists for a moment
TRIAL = ".dcor-server.trial"


def refuses_programs(host: Host, path: str) -> str | None:
    """Return why programs cannot run from a directory, which need not exist yet, or None (mount(8), "noexec")."""
    place = disk.nearest(host, path)
    with explained(host.root, place, "examined"):
        is_refused = os.statvfs(host.path(place)).f_flag & os.ST_NOEXEC
    return f"no program can run from {path}: {place} is on a disk that is mounted noexec" if is_refused else None


def refuses_owner(host: Host, path: str, user: str) -> str | None:
    """Return why root cannot give a user files in a directory, which need not exist yet, or None."""
    place = disk.nearest(host, path)
    wanted, trial = Access(0o600, user, user), f"{place.rstrip('/')}/{TRIAL}"
    try:
        host.write(trial, "", wanted)
        drift = host.access_drift(trial, wanted)
        host.remove(trial)
    except DcorError as error:
        drift = error.reason
    return (
        None if drift is None else f"root cannot make a file of {user} in {place}: {drift.removeprefix(trial).strip()}"
    )
