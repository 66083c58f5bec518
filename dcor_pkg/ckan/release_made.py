"""The release that this machine should run, complete on disk."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import known_issues, release
from dcor_pkg.machine import lock
from dcor_pkg.machine.host import Host

#: seconds that somebody else may take to make it
PATIENCE = 600.0


@dataclass(frozen=True)
class ReleaseMade:
    """A release, made of python-ckan's tree, the release set's wheels and our cures."""

    release: str
    name: str = "release"

    def check(self, host: Host) -> str | None:
        if not release.is_made(host, self.release):
            return f"{self.release} is not made yet"
        site = release.site_packages(host, release.directory(self.release))
        faults = known_issues.left(host, site)
        return f"{self.release} has the known issue {faults[0]}" if faults else None

    def apply(self, host: Host) -> None:
        """Make it, unless somebody who began earlier has just done so."""
        with lock.held(host, PATIENCE, lock.RELEASE):
            if self.check(host) is not None:
                release.remove(host, self.release)
                release.make(host, self.release)
