"""The release that verbs run CKAN's commands in."""

from __future__ import annotations

from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host


def require(host: Host) -> str:
    """Return the id of the active release. Raises DcorError when there is none yet."""
    active = release.active(host)
    if active is None:
        raise DcorError(
            "There is no active release yet, so CKAN's commands are not available.",
            "dcor-server converge makes one; dcor-server status shows why the last converge failed.",
        )
    return active
