"""The PostgreSQL cluster of this machine: it runs, unless the database is external; then it is stopped with its data.

Its settings and data are never changed. Debian starts a cluster at boot when the file start.conf beside its settings
says so (pg_createcluster(8)). Each cluster has a unit of its own; postgresql.service only groups them, and is active
whatever they do. Debian does not start a cluster again that was killed; a drop-in for the unit of ours says so.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file, pending, systemd_service
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import SYSTEMD_UNITS
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import programs, psql

#: CKAN's database in it, and the role that owns it
DATABASE = "ckan_default"
#: the first line of start.conf in a cluster that we have stopped; debian/dcor-server.postrm knows it
STOPPED = "# dcor-server has stopped this cluster, for its database is elsewhere; database=local starts it again.\n"
#: who owns the settings of a cluster: in their directory nobody else acts by name
OWNER = "postgres"
#: Debian's unit that groups those of the clusters, and starts them at boot
GROUP = "postgresql.service"
#: the directories of drop-ins for the units of clusters
DROP_INS = re.compile(r"postgresql@.*\.service\.d")
DROP_IN = "dcor-server.conf"
#: how long a start may take: after a crash PostgreSQL reads its log again
START_SECONDS = 300.0
#: a FIFO in the place of one of these files would let its reader or writer wait for ever
TIMEOUT_SECONDS = 20.0
HINT = (
    f"Make one beside: pg_createcluster --port={psql.PORT} --start $(ls /usr/lib/postgresql | tail -n 1) dcor. Or use a "
    "database with a password, on this machine too (README, External services): dcor-server/database = "
    "postgresql://USER@localhost:PORT/NAME"
)
#: of a cluster, and of whichever is asked (PostgreSQL, "Control Data Functions")
IDENTITY = "SELECT system_identifier FROM pg_control_system()"
#: but not our copies, nor former ones (copies.py)
OTHER_DATABASES = (
    "SELECT count(*) FROM pg_database WHERE NOT datistemplate "  # noqa: S608 (names of ours)
    f"AND datname NOT IN ('postgres', '{DATABASE}') AND NOT starts_with(datname, '{DATABASE}_')"
)


@dataclass(frozen=True)
class Cluster:
    """A cluster, as pg_lsclusters(1) lists it."""

    version: str
    name: str
    is_online: bool
    port: int = psql.PORT
    #: the directory of its data
    data: str = ""

    @property
    def label(self) -> str:
        """As messages name it."""
        return f"PostgreSQL {self.version}/{self.name}"

    @property
    def hba(self) -> str:
        """The file that says who may connect."""
        return f"{self.configuration}/pg_hba.conf"

    def place(self, host: Host, setting: str) -> str:
        """Return the file in which a setting of its is, with the line if it is there."""
        file = f"{self.configuration}/postgresql.conf"
        lines = enumerate((host.read(file) or "").splitlines(), 1)
        found = [number for number, line in lines if re.match(rf"\s*{setting}\b", line)]
        return f"{file}, line {found[-1]}" if found else file

    @property
    def unit(self) -> str:
        """Its systemd unit."""
        return f"postgresql@{self.version}-{self.name}.service"

    @property
    def start(self) -> str:
        """The file that says whether it starts at boot."""
        return f"{self.configuration}/start.conf"

    @property
    def configuration(self) -> str:
        """The directory of its settings."""
        return f"/etc/postgresql/{self.version}/{self.name}"

    @property
    def drop_in(self) -> ManagedFile:
        """What systemd has to know in addition to Debian's unit."""
        return ManagedFile(f"{SYSTEMD_UNITS}/{self.unit}.d/{DROP_IN}", "services/postgresql/templates/unit.conf")


def local(host: Host) -> Cluster | None:
    """Return the cluster on our port; None where there is none."""
    return next((cluster for cluster in listed(host) if cluster.port == psql.PORT), None)


def required(host: Host) -> Cluster:
    """Return the cluster on our port. Raises DcorError where there is none."""
    if (cluster := local(host)) is not None:
        return cluster
    others = [f"{it.label} uses port {it.port} ({it.place(host, 'port')})" for it in listed(host) if it.port]
    reason = (
        f"No PostgreSQL cluster of this machine uses port {psql.PORT}: {', '.join(others) or 'there is none at all'}."
    )
    raise DcorError(reason, HINT)


def listed(host: Host) -> list[Cluster]:
    """Return all clusters of this machine; the port of a half one, as a power cut leaves it, is 0."""
    lines = host.run("pg_lsclusters", "--no-header", user=OWNER, timeout=TIMEOUT_SECONDS).splitlines()
    found = [line.split()[:6] for line in lines]
    ports = [int(it[2]) if it[2].isdecimal() else 0 for it in found]
    return [Cluster(it[0], it[1], it[3].startswith("online"), port, it[5]) for it, port in zip(found, ports)]


def is_stopped_by_us(host: Host, cluster: Cluster) -> bool:
    """Return whether we have stopped the cluster."""
    return (host.read(cluster.start) or "").startswith(STOPPED)


def starts_by_itself(host: Host, cluster: Cluster) -> bool:
    """Return whether start.conf says so, as it does unless an administrator has changed it."""
    words = re.findall(r"^[ \t]*(\w+)", host.read(cluster.start) or "", re.MULTILINE)
    return words[:1] in ([], ["auto"])


def is_ready(host: Host) -> bool:
    """Return whether the cluster accepts connections."""
    return host.succeeds(programs.path(host, "pg_isready"), "--quiet", f"--host={psql.SOCKETS}", f"--port={psql.PORT}")


@dataclass(frozen=True)
class ClusterRunning:
    """A cluster that accepts connections, and that systemd starts again when it is killed."""

    name: str = "postgresql cluster"

    def check(self, host: Host) -> str | None:
        cluster = required(host)
        if (drift := cluster.drop_in.check(host)) is not None:
            return f"{cluster.drop_in.path} {drift}"
        for path in _drop_ins(host):
            if path != cluster.drop_in.path:
                return f"{path} is for a cluster that is not ours any more"
        change = _change(host, cluster)
        if change is not None or is_ready(host):
            return change
        return f"{cluster.unit} does not accept connections{' since its socket is gone' if _is_deaf(host, cluster) else ''}"

    def apply(self, host: Host) -> None:
        cluster = required(host)
        remove_drop_ins(host, unless=cluster.drop_in.path)
        if cluster.drop_in.check(host) is not None:
            cluster.drop_in.apply(host)
        if is_stopped_by_us(host, cluster):
            write_start(host, cluster, "auto\n")
        host.run("systemctl", "daemon-reload")
        systemd_service.let_start_at_boot(host, GROUP)
        systemd_service.let_start(host, cluster.unit)
        actions = systemd_service.pending_actions(host, cluster.unit)
        if actions or not is_ready(host):
            # Without its socket nobody reaches it, so a restart disturbs nobody.
            act = systemd_service.restart if actions or _is_deaf(host, cluster) else systemd_service.start
            act(host, cluster.unit)
            await_ready(host, cluster)
        for action in actions:
            pending.clear(host, action)


@dataclass(frozen=True)
class ClusterStopped:
    """A stopped cluster, unless somebody uses it: for other databases, or for the external one, which may be in it.

    One that is down already, or does not let us in, is left alone: nobody can tell which databases it holds.
    """

    database: Endpoint
    name: str = "postgresql cluster"

    def check(self, host: Host) -> str | None:
        for path in _drop_ins(host):
            return f"{path} exists, and the database is external"
        if not self._is_unused(host):
            return None
        return "runs, and holds only the database that was replaced by an external one"

    def apply(self, host: Host) -> None:
        remove_drop_ins(host)
        host.run("systemctl", "daemon-reload")
        if self._is_unused(host):
            cluster = required(host)
            write_start(host, cluster, f"{STOPPED}manual\n")
            host.run("systemctl", "daemon-reload")
            host.run("systemctl", "stop", cluster.unit)

    def _is_unused(self, host: Host) -> bool:
        """Return whether the cluster runs, holds no database of others, and is not where the external database is."""
        cluster = local(host)
        if cluster is None or not cluster.is_online:
            return False
        try:
            is_external = psql.query(host, self.database, IDENTITY) == psql.as_superuser(host, IDENTITY)
            return not is_external and psql.as_superuser(host, OTHER_DATABASES) == "0"
        except DcorError:
            return False


def remove_drop_ins(host: Host, unless: str = "") -> None:
    """Remove our drop-ins for units of clusters, but one."""
    for path in _drop_ins(host):
        if path != unless:
            managed_file.remove(host, path)


def _change(host: Host, cluster: Cluster) -> str | None:
    """Return what has changed since the cluster was started, whether it runs or not."""
    state = systemd_service.unit_state(host, cluster.unit)
    if state["UnitFileState"] in systemd_service.MASKED:
        return f"{cluster.unit} is masked, so nothing can start it"
    if state["NeedDaemonReload"] == "yes":
        return f"the files of {cluster.unit} have changed"
    if (file := systemd_service.unit_state(host, GROUP)["UnitFileState"]) in ("disabled", *systemd_service.MASKED):
        return f"{GROUP} is {file}, so no cluster would start at boot"
    if is_stopped_by_us(host, cluster):
        return "was stopped while the database was external"
    pended = systemd_service.pending_actions(host, cluster.unit)
    return f"the restart of {cluster.unit} is pending" if pended else None


def _is_deaf(host: Host, cluster: Cluster) -> bool:
    """Return whether the cluster runs, and its socket was removed."""
    is_active = systemd_service.unit_state(host, cluster.unit)["ActiveState"] == "active"
    return is_active and not host.exists(psql.SOCKET)


def _drop_ins(host: Host) -> list[str]:
    paths = (f"{SYSTEMD_UNITS}/{it}/{DROP_IN}" for it in filter(DROP_INS.fullmatch, host.names(SYSTEMD_UNITS)))
    return [path for path in paths if host.exists(path)]


def await_ready(host: Host, cluster: Cluster) -> None:
    """Wait until the cluster accepts connections. Raises DcorError."""
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(host):
        if time.monotonic() > deadline:
            raise DcorError(
                f"{cluster.unit} was started, and PostgreSQL does not accept connections yet on port {psql.PORT}.",
                hint=f"See: journalctl --unit={cluster.unit}, and its log in /var/log/postgresql.",
            )
        time.sleep(0.1)


def write_start(host: Host, cluster: Cluster, text: str) -> None:
    """Write start.conf as postgres, who owns its directory; systemd's generator reads it at daemon-reload."""
    host.run("tee", cluster.start, text=text, user=OWNER, timeout=TIMEOUT_SECONDS)
