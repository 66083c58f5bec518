"""Room on the disk for releases: for the one that is made, and for those that are kept for the way back."""

from __future__ import annotations

from dcor_pkg.ckan import past_releases, release
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host

#: of one release; the files that it shares with python-ckan are its own when that is upgraded
SIZE_BYTES = 768 * disk.MIB
#: the one that is made, and something for all others that write to this disk
LEAST = 2
#: the former releases that stay in any case: the watch goes back to the one before
STAYING = 1


def needed(host: Host) -> int:
    """Return the free bytes that a release needs: those that are kept have theirs, and it is one more for a moment."""
    missing = past_releases.KEPT + 1 - len(release.ids(host))
    return max(missing, LEAST) * SIZE_BYTES


def require(host: Host) -> None:
    """Raise DcorError where a release would fill the disk. The oldest go first, if that makes enough room."""
    spare, lacking = past_releases.read(host)[1 + STAYING :], needed(host) - disk.free(host, release.DIRECTORY)
    if lacking <= len(spare) * SIZE_BYTES:
        for it in reversed(spare):
            if disk.free(host, release.DIRECTORY) < needed(host):
                past_releases.forget(host, it.release)
                release.remove(host, it.release)
    disk.require(host, release.DIRECTORY, needed(host))


def check(host: Host, _: Proposal) -> None:
    """Raise DcorError where the first release would fill the disk; later ones are checked when they are made."""
    if not release.ids(host):
        require(host)
