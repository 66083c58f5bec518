"""Which versions of PostgreSQL are installed, and which of them Debian still updates.

An upgrade of Debian installs the new version beside the old one, whose clusters go on with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import packages
from dcor_pkg.machine.host import Host
from dcor_pkg.services.postgresql import cluster, former_cluster, programs
from dcor_pkg.services.postgresql.cluster import Cluster

COMMAND = "dcor-server upgrade-database-cluster"


def newest(host: Host) -> str:
    """Return the newest version whose server is installed; nothing where there is none."""
    return programs.newest(host, "postgres")


def outdated(host: Host) -> Cluster | None:
    """Return the cluster of the database where a newer version is installed, and none updates the cluster's own."""
    try:
        ours = cluster.local(host)
    except DcorError:
        return None  # another part of the status says that
    if ours is None or programs.number(newest(host) or "0") <= programs.number(ours.version):
        return None
    return None if packages.is_offered(host, f"postgresql-{ours.version}") else ours


def notices(host: Host) -> Iterator[Notice]:
    """Give what an administrator should do about the version."""
    ours = outdated(host)
    if ours is not None:
        message = f"has the database, and this Debian has no updates of PostgreSQL {ours.version}"
        yield Notice(ours.label, message, f"To upgrade it to {newest(host)}, in minutes of 503: {COMMAND}")
    yield from former_cluster.notices(host)
