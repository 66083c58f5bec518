"""The PostgreSQL cluster of this machine: stopped while the database is external, and started again with its data.

Its settings and data are never changed. Debian starts a cluster at boot when the file start.conf beside its settings
says so (pg_createcluster(8)); the unit postgresql.service only groups the units of the clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.services.postgresql import psql

#: CKAN's database in it, and the role that owns it
DATABASE = "ckan_default"
#: the first line of start.conf in a cluster that we have stopped; debian/dcor-server.postrm knows it
STOPPED = "# dcor-server has stopped this cluster, for its database is elsewhere; database=local starts it again.\n"
#: who owns the settings of a cluster: in their directory nobody else acts by name
OWNER = "postgres"
#: a FIFO in the place of one of these files would let its reader or writer wait for ever
TIMEOUT_SECONDS = 20.0
OTHER_DATABASES = (
    f"SELECT count(*) FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', '{DATABASE}')"  # noqa: S608 (names of ours)
)


@dataclass(frozen=True)
class Cluster:
    """A cluster, as pg_lsclusters(1) lists it."""

    version: str
    name: str
    is_online: bool

    @property
    def unit(self) -> str:
        """Its systemd unit."""
        return f"postgresql@{self.version}-{self.name}.service"

    @property
    def start(self) -> str:
        """The file that says whether it starts at boot."""
        return f"/etc/postgresql/{self.version}/{self.name}/start.conf"


def local(host: Host) -> Cluster | None:
    """Return the cluster on our port; None where there is none."""
    for line in host.run("pg_lsclusters", "--no-header", user=OWNER, timeout=TIMEOUT_SECONDS).splitlines():
        version, name, port, status = line.split()[:4]
        if port == str(psql.PORT):
            return Cluster(version, name, status.startswith("online"))
    return None


def is_stopped_by_us(host: Host) -> bool:
    """Return whether we have stopped the cluster."""
    cluster = local(host)
    return cluster is not None and (host.read(cluster.start) or "").startswith(STOPPED)


@dataclass(frozen=True)
class ClusterEnabled:
    """A cluster that we have not stopped. Preflight has seen that it accepts connections."""

    name: str = "postgresql cluster"

    def check(self, host: Host) -> str | None:
        return "was stopped while the database was external" if is_stopped_by_us(host) else None

    def apply(self, host: Host) -> None:
        _set_start(host, "auto\n", "start")


@dataclass(frozen=True)
class ClusterStopped:
    """A stopped cluster, unless it holds databases other than ours, which somebody else uses.

    One that is down already is left alone: nobody can tell which databases it holds.
    """

    name: str = "postgresql cluster"

    def check(self, host: Host) -> str | None:
        cluster = local(host)
        if cluster is None or not cluster.is_online or psql.as_superuser(host, OTHER_DATABASES) != "0":
            return None
        return "runs, and holds only the database that was replaced by an external one"

    def apply(self, host: Host) -> None:
        _set_start(host, f"{STOPPED}manual\n", "stop")


def _set_start(host: Host, text: str, verb: str) -> None:
    """Write start.conf as postgres, who owns its directory; systemd's generator reads it at daemon-reload."""
    cluster = local(host)
    if cluster is None:
        raise DcorError(
            f"There is no PostgreSQL cluster on port {psql.PORT}.", hint="pg_lsclusters lists the clusters."
        )
    host.run("tee", cluster.start, text=text, user=OWNER, timeout=TIMEOUT_SECONDS)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", verb, cluster.unit)
