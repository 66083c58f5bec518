"""Releases: where they are, which of them are complete, which is active, and how a program of one is run.

A release is an immutable virtual environment of its own. `/usr/lib/ckan/default` belongs to dpkg and changes in the
middle of an upgrade, so services never run from it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import directory_trial, lock, python_environment
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_HOME, CKAN_INI, CKAN_USER, CURRENT, STATE
from dcor_pkg.machine.process import Program

DIRECTORY = f"{STATE}/releases"
#: in a release: what `dcor_runtime.database head` prints; a directory without this file is not a complete release
SCHEMA = "schema-revision"
#: in a release: DCOR's licences, by a path that does not contain Python's version
LICENCES = "licenses.json"


def directory(release: str) -> str:
    """Return the directory of a release."""
    return f"{DIRECTORY}/{release}"


def site_packages(host: Host, home: str) -> str:
    """Return the directory of the Python modules of the release in `home`; its path contains Python's version."""
    return python_environment.site_packages(host, home)


def ids(host: Host) -> list[str]:
    """Return the ids of the complete releases."""
    return [name for name in host.names(DIRECTORY) if is_made(host, name)]


def is_made(host: Host, release: str) -> bool:
    """Return whether a release is complete.

    While a release is being made its directory has another name, and its removal begins with the file SCHEMA.
    """
    return not release.startswith(".") and host.exists(f"{directory(release)}/{SCHEMA}")


def incomplete(host: Host) -> list[str]:
    """Return the names of releases that an interrupted run (a power cut) was making or removing.

    While a process holds the lock for making a release, there are none: what is incomplete is its work.
    """
    if lock.is_held(host, lock.RELEASE):
        return []
    return [name for name in host.names(DIRECTORY) if not is_made(host, name)]


def active(host: Host) -> str | None:
    """Return the id of the active release, or None."""
    target = host.target(CURRENT)
    return None if target is None else Path(target).name


def check_programs(host: Host, _: Proposal) -> None:
    """Raise DcorError where no program of a release could run."""
    if (problem := directory_trial.refuses_programs(host, DIRECTORY)) is not None:
        hint = f"Allow it: mount -o remount,exec there, and the same in /etc/fstab. Or mount another disk at {STATE}."
        raise DcorError(f"{problem[0].upper()}{problem[1:]}.", hint)


def run(
    host: Host, release: str, program: str, *arguments: str, timeout: float = 600, configuration: str = CKAN_INI
) -> str:
    """Run a program of a release as CKAN's user, never as root, and return its output. `timeout` is in seconds.

    Raises CommandFailed.
    """
    environment = _environment(release, configuration)
    path = f"{directory(release)}/bin/{program}"
    return host.run(path, *arguments, user=CKAN_USER, environment=environment, timeout=timeout)


def started(
    host: Host, release: str, program: str, *arguments: str, configuration: str
) -> AbstractContextManager[Program]:
    """Give a program of a release that runs meanwhile, and waits for its input; see `run`. Raises DcorError."""
    environment = _environment(release, configuration)
    return host.started(f"{directory(release)}/bin/{program}", *arguments, user=CKAN_USER, environment=environment)


def _environment(release: str, configuration: str) -> dict[str, str]:
    return {"CKAN_INI": configuration, "PATH": f"{directory(release)}/bin:/usr/bin:/bin", "HOME": CKAN_HOME}


def put_in_place(host: Host, made: str, release: str) -> None:
    """Rename a complete directory to that of a release. A damaged one gets another name, and is removed as incomplete.

    Its programs may still run, so there is no time without their files.
    """
    home, aside = directory(release), directory(f".{release}.damaged")
    if host.exists(home):
        host.remove_tree(aside)
        host.rename(home, aside)
    host.rename(made, home)


def remove(host: Host, release: str) -> None:
    """Remove a release that nothing uses; if that is interrupted, the release is incomplete."""
    host.remove(f"{directory(release)}/{SCHEMA}")
    host.remove_tree(directory(release))
