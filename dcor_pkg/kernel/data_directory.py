"""The directory with the measurements: made once, with a marker in it, and never made again.

A missing marker means a disk that is not mounted. A server that went on without its data would look healthy and be
empty, which is worse than one that stops.
"""

from __future__ import annotations

import stat
import uuid
from dataclasses import dataclass
from pathlib import Path

from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.instance import INSTANCE, become, marker
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import directory_trial, disk, state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER, STATE
from dcor_pkg.machine.trusted_path import UntrustedPath

#: Each service owns a directory in it, and need not see those of the others. An existing one keeps what it has.
ACCESS = Access(0o711)
#: what a file system brings
NO_DATA = {"lost+found"}
#: places for data, where the wanted directory is another's
PLACES = ("/srv/dcor-server", "/var/lib/dcor-data")
#: the data directories that this server has made: a purge removes them, if they are empty then
STATE_FILE = f"{STATE}/data-directories.json"
QUESTION = "dcor-server/data-directory"
ACCESS_HINT = "If nobody else uses it: chown root:root {path}; chmod 0711 {path}. Otherwise choose another directory."
OWNERS_HINT = (
    "Services own their directories in it. Export an NFS directory with no_root_squash (exports(5)), mount with owners, "
    "or choose a directory on a disk of this machine."
)
#: of free space where data are stored for the first time
REQUIRED_BYTES = disk.GIB


@dataclass(frozen=True)
class DataDirectory:
    """The data directory, with the marker of this instance."""

    path: str
    name: str = "data directory"

    def check(self, host: Host) -> str | None:
        problem = missing_data(host, self.path)
        if problem is not None:
            return problem
        if host.read(INSTANCE) is None:
            return f"{INSTANCE} does not say yet whose data are in {self.path}"
        return _unsuitable(host, self.path)

    def apply(self, host: Host) -> None:
        """Make and mark the directory at the first time; adopt one that an earlier installation has marked."""
        problem = missing_data(host, self.path)
        if problem is not None:
            raise DcorError(problem, hint=f"Mount its disk (mount {self.path}), then: dcor-server converge")
        instance = host.read(marker(self.path))
        if instance is None:
            check_access(host, self.path)
        make(host, self.path)
        if instance is None:
            instance = f"{uuid.uuid4()}\n"
            host.write(marker(self.path), instance, Access(0o644))
        if host.read(INSTANCE) is None:
            become(host, instance)


def make(host: Host, path: str) -> None:
    """Make a data directory, and record that before it. The access of an existing one is set only if it has to be."""
    if not host.exists(path):
        state_file.write(host, STATE_FILE, sorted({*made(host), path}))
    if _unsuitable(host, path) is not None:
        host.make_directory(path, ACCESS)


def made(host: Host) -> list[str]:
    """Return the data directories that did not exist before."""
    return state_file.read(host, STATE_FILE, [])


def missing_data(host: Host, path: str) -> str | None:
    """Return why the data in a directory cannot be used, or None where they are there, or never were any."""
    instance = host.read(INSTANCE)
    found = host.read(marker(path))
    if instance is None or found == instance:
        return None
    if found is None:
        return f"{path} does not hold the data of this server: {marker(path)} is missing, so its disk is not mounted"
    return f"{path} holds the data of another server ({found.strip()}, not {instance.strip()})"


def check_path(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer where something in the path of the data directory is not a directory."""
    path = proposal.wanted.data
    for place in [Path(path), *Path(path).parents]:
        if host.exists(str(place)) and not host.path(str(place)).is_dir():
            raise InvalidAnswer(QUESTION, path, f"{place} is not a directory", "Choose another place.")


def check_trusted(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer where data or scratch directory is a link, or another user than root could exchange it."""
    for key, path in (("data-directory", proposal.wanted.data), ("scratch-directory", proposal.wanted.scratch)):
        if (target := host.target(path)) is not None:
            hint = f"Name the directory that it leads to, {target}, or move the link away."
            raise InvalidAnswer(f"dcor-server/{key}", path, f"{path} is a symbolic link", hint)
        try:
            host.require_trusted(path)
        except UntrustedPath as error:
            raise InvalidAnswer(f"dcor-server/{key}", path, error.reason, error.hint) from None


def check_owner(host: Host, proposal: Proposal) -> None:
    """Raise DcorError where the data directory holds data of another server, or lacks the data of this one."""
    before, wanted = proposal.before, proposal.wanted
    if host.read(INSTANCE) is None:
        _check_first(host, wanted.data)
    elif before is not None and before.data != wanted.data:
        _check_other(host, before.data, wanted.data)


def _check_first(host: Host, path: str) -> None:
    """Accept a directory that is marked, or new, or empty and root's."""
    if host.exists(f"{path}/object-store") and not host.exists(marker(path)):
        raise InvalidAnswer(
            QUESTION,
            path,
            f"{path}/object-store exists, and its marker {marker(path)} is missing, so its owner is unknown",
            "Choose an empty directory, or restore the marker together with the data.",
        )
    if not host.exists(marker(path)):
        _check_unused(host, path)
    disk.require(host, path, REQUIRED_BYTES)


def _check_unused(host: Host, path: str) -> None:
    """Raise InvalidAnswer for a directory with something in it, or of somebody: neither is ours to change."""
    foreign = [name for name in host.names(path) if name not in NO_DATA]
    if foreign:
        problem = f"{path} is used already: it contains {foreign[0]}, and not the marker of a DCOR server"
        raise InvalidAnswer(QUESTION, path, problem, f"Use a directory of its own, for example {_place(host, path)}.")
    check_access(host, path)


def check_access(host: Host, path: str) -> None:
    """Raise InvalidAnswer for a directory in which services cannot have theirs: it, and its disk, are not ours."""
    if host.exists(path) and (problem := _unsuitable(host, path)) is not None:
        raise InvalidAnswer(QUESTION, path, problem, ACCESS_HINT.format(path=path))
    if (problem := directory_trial.refuses_owner(host, path, CKAN_USER)) is not None:
        raise InvalidAnswer(QUESTION, path, problem, OWNERS_HINT)


def _place(host: Host, path: str) -> str:
    """Return a place for data that can be used instead of `path`."""
    places = (f"{path}/dcor-server", *PLACES)
    return next((it for it in places if not host.exists(it) and _is_trusted(host, it)), PLACES[-1])


def _is_trusted(host: Host, path: str) -> bool:
    try:
        host.require_trusted(path)
    except UntrustedPath:
        return False
    return True


def _unsuitable(host: Host, path: str) -> str | None:
    """Return why services cannot have their directories in this one, or None."""
    if (drift := host.access_drift(path, ACCESS, stat.S_IFDIR)) is None:
        return None
    access = host.access(path)
    if access is None or not host.path(path).is_dir() or host.target(path) is not None:
        return f"{path} {drift}"
    if access.lets_pass:
        return None
    return f"{path} is {access}: root has to own it, and nobody else may write in it, but everybody has to pass"


def _check_other(host: Host, before: str, path: str) -> None:
    """Accept only a directory that holds this server's data already: an empty server that looks healthy is no help."""
    if missing_data(host, path) is not None:
        raise InvalidAnswer(
            QUESTION,
            path,
            f"the data of this server are in {before}, not in {path}",
            f"dcor-server move-data {path} moves them, and then changes this setting.",
        )
