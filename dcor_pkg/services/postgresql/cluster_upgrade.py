"""Upgrade our cluster to the newest PostgreSQL of this machine, by pg_upgradecluster(1), or leave it as it was.

What is under way is recorded, for the run after a power cut: until the new cluster is proven the old one comes back.
docs/decisions/debian-upgrade.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from dcor_pkg.errors import CommandFailed, DcorError, undoing
from dcor_pkg.kernel import systemd_service
from dcor_pkg.machine import disk, state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import STATE
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import cluster, contents, copies, former_cluster, ownership, programs, psql, versions
from dcor_pkg.services.postgresql.cluster import OWNER, Cluster

STATE_FILE = f"{STATE}/cluster-upgrade.json"
#: where Debian's new clusters have their data (pg_createcluster(8))
DATA = "/var/lib/postgresql"
#: the longest time for a cluster of nothing, and for each GiB more, on a slow disk
BASE_SECONDS, SECONDS_PER_GIB = 3600.0, 900.0
#: to stop, start or delete one
TIMEOUT_SECONDS = 600.0
#: pg_ctl waits for a minute by itself, and what a busy disk has to write when a cluster is stopped takes longer
ENVIRONMENT = {"PGCTLTIMEOUT": f"{TIMEOUT_SECONDS:.0f}"}
SIZE = "SELECT sum(pg_database_size(oid)) FROM pg_database"
#: what somebody has made in a cluster that Debian's package has made
MADE = """
SELECT 'database ' || datname FROM pg_database WHERE datname NOT IN ('template0', 'template1', 'postgres')
UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname <> 'postgres' AND rolname !~ '^pg_'
"""
#: done before or after the upgrade itself
Act = Callable[[], object]
OTHERS = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname"


@dataclass(frozen=True)
class ClusterUpgrade:
    """From one version to another; its fields are the keys of the state file."""

    version: str
    name: str
    newer: str
    #: whether the new cluster is proven, so that the old one does not come back
    turned: bool = False

    @property
    def old(self) -> Cluster:
        """The cluster that is upgraded."""
        return Cluster(self.version, self.name, is_online=True)

    @property
    def new(self) -> Cluster:
        """The cluster that takes its place."""
        return Cluster(self.newer, self.name, is_online=True)

    @property
    def data(self) -> str:
        """Where Debian's command puts the data of the new cluster."""
        return f"{DATA}/{self.newer}/{self.name}"

    def record(self, host: Host) -> None:
        """Record that it is under way, and how far."""
        state_file.write(host, STATE_FILE, asdict(self))


def under_way(host: Host) -> ClusterUpgrade | None:
    """Return the upgrade that has begun and not ended, or None."""
    found: dict[str, Any] = state_file.read(host, STATE_FILE, {})
    return ClusterUpgrade(**found) if found.keys() == ClusterUpgrade.__annotations__.keys() else None


def possible(host: Host) -> ClusterUpgrade:
    """Return the upgrade that this machine can do. Raises DcorError, and nothing has changed."""
    ours, newest = cluster.required(host), versions.newest(host)
    if programs.number(newest or "0") <= programs.number(ours.version):
        raise DcorError(
            f"{ours.label}, which has the database, is of the newest PostgreSQL that is installed, so there is nothing to upgrade.",
            "Debian's package postgresql installs a newer one, where this Debian has one.",
        )
    if not cluster.is_ready(host):
        raise DcorError(f"{ours.label} does not accept connections, so it cannot be read.", "dcor-server converge")
    upgrade = ClusterUpgrade(ours.version, ours.name, newest)
    _require_empty(host, upgrade)
    disk.require(host, DATA, 2 * _size(host) + disk.GIB)
    return upgrade


def others(host: Host, database: str) -> list[str]:
    """Return the databases in our cluster that are not of this server."""
    return [name for name in psql.as_superuser(host, OTHERS).splitlines() if not _is_ours(name, database)]


def run(host: Host, upgrade: ClusterUpgrade, database: Endpoint, stop: Act, prove: Act) -> None:
    """Put the upgraded cluster in the place of the old one: `stop` ends all writes, `prove` tries what came of it.

    Raises DcorError, as both may; then the old cluster is back.
    """
    turned = replace(upgrade, turned=True)
    upgrade.record(host)
    try:
        stop()
        _copy(host, upgrade, database)
        prove()
        turned.record(host)
    except BaseException as error:
        with undoing(error):
            undo(host, upgrade, database)
        raise
    complete(host, turned, database)


def _copy(host: Host, upgrade: ClusterUpgrade, database: Endpoint) -> None:
    """Let Debian's command do it, which does not notice when rows or indexes could not be restored."""
    limit = BASE_SECONDS + SECONDS_PER_GIB * _size(host) / disk.GIB
    before = contents.of(host, database.name, limit)
    _run(host, *_command(upgrade), timeout=limit)
    cluster.await_ready(host, upgrade.new)
    difference = contents.difference(before, contents.of(host, database.name, limit))
    if difference is not None:
        raise DcorError(f"{upgrade.new.label} is not a copy of {upgrade.old.label}: {difference}.")


def drop_empty(host: Host, upgrade: ClusterUpgrade) -> None:
    """Drop the cluster that Debian's package has made, in whose place the upgraded one comes; it was proven empty."""
    if _find(host, upgrade.new) is not None:
        _require_empty(host, upgrade)
        _run(host, "pg_dropcluster", "--stop", upgrade.newer, upgrade.name)
    # such as an extension that is installed for the old version only
    _run(host, *_command(upgrade, "--check"))


def settle(host: Host, database: Endpoint) -> str | None:
    """Complete or undo what a power cut has interrupted, and return what was done, or None. Raises DcorError."""
    upgrade = under_way(host)
    if upgrade is None:
        return None
    if upgrade.turned:
        complete(host, upgrade, database)
        return f"The upgrade of the database cluster to {upgrade.new.label} was interrupted, and is completed."
    undo(host, upgrade, database)
    return f"The upgrade of the database cluster to {upgrade.new.label} was interrupted, and is undone."


def complete(host: Host, upgrade: ClusterUpgrade, database: Endpoint) -> None:
    """Let the new cluster be used, and keep the old one. May be repeated."""
    copies.allow_writes(host, database.name)
    former_cluster.record(host, upgrade.version, upgrade.name, upgrade.newer)
    host.remove(STATE_FILE)


def undo(host: Host, upgrade: ClusterUpgrade, database: Endpoint) -> None:
    """Bring the old cluster back, and drop the new one. Raises DcorError, and may be repeated."""
    old = _find(host, upgrade.old)
    if old is None:
        hint = f"{upgrade.new.label} is left as it is. To go on with it: rm {STATE_FILE}, then: dcor-server converge"
        raise DcorError(f"{upgrade.old.label} is gone, though its upgrade has not ended.", hint)
    _drop_new(host, upgrade)
    if old.port != psql.PORT:
        place = (upgrade.version, upgrade.name)
        host.run("pg_conftool", *place, "set", "port", str(psql.PORT), user=OWNER, timeout=TIMEOUT_SECONDS)
    cluster.write_start(host, old, "auto\n")
    host.run("systemctl", "daemon-reload")
    _start_again(host, old)
    copies.allow_writes(host, database.name)
    for name in copies.former(host, database):
        psql.as_superuser(host, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    host.remove(STATE_FILE)


def _drop_new(host: Host, upgrade: ClusterUpgrade) -> None:
    """Drop the new cluster, or what there is of a half one; before the upgrade there was nothing in its place.

    Its data are made first, and the settings, by which pg_dropcluster(1) finds them, last.
    """
    if _find(host, upgrade.new) is not None or host.exists(upgrade.new.configuration):
        _run(host, "pg_dropcluster", "--stop", upgrade.newer, upgrade.name)
    if host.exists(upgrade.data):
        host.run("rm", "--recursive", "--force", "--", upgrade.data, user=OWNER, timeout=TIMEOUT_SECONDS)


def _start_again(host: Host, old: Cluster) -> None:
    """Start a cluster by its unit; pg_upgradecluster starts it in another way, and lets nobody in."""
    if systemd_service.unit_state(host, old.unit)["ActiveState"] == "active" and old.port == psql.PORT:
        return
    if old.is_online:
        host.run(
            *("pg_ctlcluster", "--skip-systemctl-redirect", "--mode=fast", old.version, old.name, "stop"),
            environment=ENVIRONMENT,
            timeout=TIMEOUT_SECONDS,
        )
    systemd_service.start(host, old.unit)
    cluster.await_ready(host, old)


def _command(upgrade: ClusterUpgrade, *options: str) -> tuple[str, ...]:
    """Return Debian's command. Dumped and restored, because the order of texts may be another one in a newer Debian."""
    return ("pg_upgradecluster", "--method=dump", f"--version={upgrade.newer}", *options, upgrade.version, upgrade.name)


def _run(host: Host, *argv: str, timeout: float = TIMEOUT_SECONDS) -> None:
    try:
        host.run(*argv, environment=ENVIRONMENT, timeout=timeout)
    except CommandFailed as error:
        raise DcorError(f"{error.reason}.", error.hint) from None


def _size(host: Host) -> int:
    return int(psql.as_superuser(host, SIZE))


def _is_ours(name: str, database: str) -> bool:
    return name == database or name.startswith((f"{database}{copies.BEFORE}", f"{database}_copy"))


def _find(host: Host, wanted: Cluster) -> Cluster | None:
    return next((it for it in cluster.listed(host) if (it.version, it.name) == (wanted.version, wanted.name)), None)


def _require_empty(host: Host, upgrade: ClusterUpgrade) -> None:
    """Raise DcorError where there is a cluster in the place of the new one, and somebody may have used it."""
    found = _find(host, upgrade.new)
    if found is None:
        if host.exists(upgrade.data):
            reason = f"{upgrade.data} exists, and there is no cluster {upgrade.new.label}, whose data it would get."
            raise DcorError(reason, f"If it holds nothing that you need: rm -r {upgrade.data}")
        return
    hint = f"Move it out of the way first: pg_renamecluster {found.version} {found.name} NEW-NAME"
    if not found.is_online:
        raise DcorError(f"{found.label} exists and is down, so nobody can tell whether it is empty.", hint)
    made = psql.as_superuser(host, MADE, port=found.port).splitlines()
    for name in ("postgres", "template1"):
        if psql.as_superuser(host, ownership.RELATIONS, name, port=found.port) != "0":
            made.append(f"tables in the database {name}")
    if made:
        raise DcorError(f"{found.label} is in use: it has the {', the '.join(made)}.", hint)
