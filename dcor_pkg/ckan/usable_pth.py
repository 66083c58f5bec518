"""The step that makes a release anew in which a .pth file fails for CKAN's user."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import pth_files, release, release_made
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.machine.host import Host


@dataclass(frozen=True)
class UsablePth:
    """A release that CKAN's user starts without a line "Error processing line 1 of ...-nspkg.pth".

    Somebody may have added the file, or closed a directory of the release, which is not in the record of its files.
    """

    made: ReleaseMade
    name: str = "pth files of the release"

    def check(self, host: Host) -> str | None:
        if not release.is_made(host, self.made.release):
            return None  # the step before reports that
        found = pth_files.faults(host, self.made.release)
        return "; ".join(map(str, found)) or None

    def apply(self, host: Host) -> None:
        """Make the release from its packages; in it such a file is left out, and each directory can be read."""
        release_made.make(host, self.made, self.check)
