"""The step that lets HDF5 lock no files where CKAN's directories are on a file system that may not be able to.

HDF5 locks each file that it opens, and fails where the file system cannot (HDF5's documentation, "File Locking").
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER, HDF5_WITHOUT_LOCKS

PROGRAM = str(templates.PACKAGE / "ckan/files/try_locks.py")
#: more than all trials together
TIMEOUT_SECONDS = 60.0
#: While the file is there, each Python of a release sets the variable (dcor_runtime.startup), and so does its
#: bin/activate. It is among what CKAN's programs read at start: others take their place when it comes or goes.
TEXT = "# Managed by dcor-server: while this file exists, programs of a release run with HDF5_USE_FILE_LOCKING=FALSE.\n"
ACCESS = Access(0o644)


@dataclass(frozen=True)
class FileLocking:
    """The variable HDF5_USE_FILE_LOCKING is FALSE exactly where a lock in one of these directories does not work."""

    directories: tuple[str, ...]
    name: str = "locks of HDF5 files"

    def check(self, host: Host) -> str | None:
        problem, is_off = self._problem(host), host.exists(HDF5_WITHOUT_LOCKS)
        if problem is not None:
            drift = None if host.read(HDF5_WITHOUT_LOCKS) == TEXT else f"are used; {problem}"
            return drift or host.access_drift(HDF5_WITHOUT_LOCKS, ACCESS)
        return "are not used, and work in all directories" if is_off else None

    def apply(self, host: Host) -> None:
        if self._problem(host) is None:
            host.remove(HDF5_WITHOUT_LOCKS)
        else:
            host.write(HDF5_WITHOUT_LOCKS, TEXT, ACCESS)

    def _problem(self, host: Host) -> str | None:
        """Return what speaks against locks, by the first directory. Raises DcorError where it cannot be tried."""
        there = [path for path in self.directories if host.exists(path)]
        if not there:
            return None
        output = host.run("/usr/bin/python3", "-I", PROGRAM, *there, user=CKAN_USER, timeout=TIMEOUT_SECONDS)
        found: dict[str, str] = json.loads(output)
        if set(found) != set(there):
            raise DcorError(f"{PROGRAM} says nothing of {there[0]}.", "apt install --reinstall dcor-server")
        return next((f"{path} speaks against that: {why}" for path, why in found.items() if why), None)
