"""The cluster that an upgrade to a newer PostgreSQL has left: down, as it was, until an administrator removes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import STATE
from dcor_pkg.services.postgresql import cluster

#: debian/dcor-server.postrm knows it
STATE_FILE = f"{STATE}/former-cluster.json"
#: a cluster of some hundred GiB is deleted
TIMEOUT_SECONDS = 3600.0
REMOVE = "dcor-server upgrade-database-cluster --remove-old"


@dataclass(frozen=True)
class FormerCluster:
    """Its fields are the keys of the state file."""

    version: str
    name: str
    #: of the cluster that has taken its place
    newer: str
    #: in seconds since 1970
    since: float

    @property
    def label(self) -> str:
        """As messages name it."""
        return f"PostgreSQL {self.version}/{self.name}"


def record(host: Host, version: str, name: str, newer: str) -> None:
    """Record that a cluster has left its place to a newer one."""
    state_file.write(host, STATE_FILE, asdict(FormerCluster(version, name, newer, time.time())))


def read(host: Host) -> FormerCluster | None:
    """Return the former cluster, or None."""
    found: dict[str, Any] = state_file.read(host, STATE_FILE, {})
    return FormerCluster(**found) if found.keys() == FormerCluster.__annotations__.keys() else None


def remove(host: Host) -> str:
    """Delete the former cluster, and return what was done. Raises DcorError."""
    former = read(host)
    if former is None:
        raise DcorError("There is no former database cluster of this server, so nothing was removed.")
    found = [it for it in cluster.listed(host) if (it.version, it.name) == (former.version, former.name)]
    if any(it.is_online for it in found):
        stop = f"Stop it first: systemctl stop {found[0].unit}"
        raise DcorError(f"{former.label} runs, so somebody may use it, and nothing was removed.", stop)
    for it in found:
        host.run("pg_dropcluster", it.version, it.name, timeout=TIMEOUT_SECONDS)
    host.remove(STATE_FILE)
    packages = (
        f"To remove its programs as well: apt purge postgresql-{former.version} postgresql-client-{former.version}"
    )
    return f"{former.label} {'was removed' if found else 'had been removed already'}. {packages}"


def notices(host: Host) -> Iterator[Notice]:
    """Give that there is a former cluster."""
    former = read(host)
    if former is not None:
        day = time.strftime("%Y-%m-%d", time.localtime(former.since))
        message = f"is kept as it was on {day}, before the upgrade to {former.newer}"
        yield Notice(former.label, message, f"When you do not need it any more: {REMOVE}")
