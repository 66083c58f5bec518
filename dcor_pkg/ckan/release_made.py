"""The step that makes the release which this machine should run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dcor_pkg.ckan import checkouts, release, release_build, release_checkouts, release_contents, tested_set, unit
from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.ckan.known_issues.issue import State
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine import lock
from dcor_pkg.machine.host import Host

#: how long to wait for another process that is making a release
TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class ReleaseMade:
    """A complete and unchanged release on the disk, without the faults of known issues.

    An issue that is "not as expected" is not drift, since to make the release again would not change it: it is
    reported by a notice (`known_issues.notices`).
    """

    release: str
    #: whether it can be made of what there is; a former one cannot
    is_former: bool = False
    #: the paths of checkouts that it is made with
    checkouts: tuple[str, ...] = ()
    name: str = "release"

    def check(self, host: Host) -> str | None:
        if not release.is_made(host, self.release):
            return f"the release {self.release} does not exist yet"
        home = release.directory(self.release)
        if (difference := release_contents.difference(host, home)) is not None:
            return f"the release {self.release} {difference}, so it is made anew"
        if self.is_former:
            return None
        if (difference := release_checkouts.difference(host, home, self.checkouts)) is not None:
            return f"the release {self.release} {difference}, so it is made anew"
        site = release.site_packages(host, home)
        faulty = registry.in_state(host, site, State.FAULTY)
        return f"the release {self.release} has the known issue {faulty[0].name}" if faulty else None

    def apply(self, host: Host) -> None:
        """Make the release, unless another process has done so in the meantime; one in service is loaded anew."""
        make(host, self, self.check)


def make(host: Host, wanted: ReleaseMade, check: Callable[[Host], str | None]) -> None:
    """Make a release of which the check finds that it is wrong. Raises DcorError."""
    name = wanted.release
    if wanted.is_former:
        raise DcorError(
            f"The release {name}, to which this server went back, is damaged, and cannot be made again.",
            "dcor-server converge --retry-release makes the one that should run, and switches to it.",
        )
    tested_set.require(host)
    with lock.held(host, TIMEOUT_SECONDS, lock.RELEASE):
        if check(host) is not None:
            found = checkouts.read_all(host, wanted.checkouts)
            if release.active(host) == name:
                pending.request(host, unit.RESTART)
            release_build.make(host, name, found)
