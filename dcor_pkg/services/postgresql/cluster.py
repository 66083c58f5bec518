"""The PostgreSQL cluster of this machine: stopped while the database is elsewhere, started again with what it holds.

Its settings and data are never touched. Debian starts a cluster at boot when the file start.conf beside its settings
says so (pg_createcluster(8)); the unit postgresql.service is nothing but all of those together.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import DATABASE
from dcor_pkg.services.postgresql.local import as_postgres

#: where psql and CKAN look for the cluster that is ours
PORT = "5432"
MARK = "# dcor-server has stopped this cluster, for its database is elsewhere; database=local starts it again.\n"
OTHERS = f"SELECT count(*) FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', '{DATABASE}')"


@dataclass(frozen=True)
class Cluster:
    """A cluster, as pg_lsclusters(1) lists it."""

    version: str
    name: str
    is_online: bool

    @property
    def unit(self) -> str:
        """Its unit of systemd."""
        return f"postgresql@{self.version}-{self.name}.service"

    @property
    def start(self) -> str:
        """The file that says whether it starts at boot."""
        return f"/etc/postgresql/{self.version}/{self.name}/start.conf"


def ours(host: Host) -> Cluster | None:
    """Return the cluster that has our database, or would have it; None where there is none."""
    for line in host.run("pg_lsclusters", "--no-header").splitlines():
        version, name, port, status = line.split()[:4]
        if port == PORT:
            return Cluster(version, name, status.startswith("online"))
    return None


def is_stopped_by_us(host: Host) -> bool:
    """Tell whether the cluster stands because we have stopped it."""
    cluster = ours(host)
    return cluster is not None and (host.read(cluster.start) or "").startswith(MARK)


@dataclass(frozen=True)
class ClusterEnabled:
    """The cluster is not one that we have stopped. That it takes connections was seen before the first step."""

    name: str = "postgresql cluster"

    def check(self, host: Host) -> str | None:
        return "was stopped while the database was elsewhere" if is_stopped_by_us(host) else None

    def apply(self, host: Host) -> None:
        _turn(host, "auto\n", "start")


@dataclass(frozen=True)
class ClusterStopped:
    """The cluster does not run, unless it holds databases that are not ours: then somebody else lives on it.

    One that is down already is left alone: nothing tells what it holds.
    """

    name: str = "postgresql cluster"

    def check(self, host: Host) -> str | None:
        cluster = ours(host)
        if cluster is None or not cluster.is_online or as_postgres(host, OTHERS) != "0":
            return None
        return "runs, and holds nothing but our former database"

    def apply(self, host: Host) -> None:
        _turn(host, f"{MARK}manual\n", "stop")


def _turn(host: Host, text: str, verb: str) -> None:
    """Write start.conf, as its owner: the directory is his. From it systemd makes anew what it starts at boot."""
    cluster = ours(host)
    if cluster is None:
        raise DcorError(f"There is no PostgreSQL cluster on port {PORT}.", hint="pg_lsclusters shows those that are.")
    host.run("tee", cluster.start, text=text, user="postgres")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", verb, cluster.unit)
