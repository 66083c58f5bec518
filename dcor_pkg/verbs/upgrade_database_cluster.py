"""`dcor-server upgrade-database-cluster`: Debian's PostgreSQL of the former Debian to that of this one.

Everybody gets 503 meanwhile. What fails leaves the old cluster in service; after a success it is kept, and stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import drain, migration_state, programs, supervisor, switch, upgrade_backup, watch_state
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending, settings_file
from dcor_pkg.machine import lock, package_manager
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services import endpoints
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store.ownership import StoreMark
from dcor_pkg.services.postgresql import cluster_upgrade, former_cluster
from dcor_pkg.services.postgresql.cluster_upgrade import ClusterUpgrade
from dcor_pkg.verbs.converge import converge_after
from dcor_pkg.verbs.verb import JSON, OK, Console, Verb, argument

LATER = "Nothing was changed. Try again when that has ended."


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Upgrade the cluster and converge, or remove the one that an upgrade has left."""
    if options.remove_old:
        return _remove_old(host, options, console)
    report = console.err if options.json else console.out
    return converge_after(host, options, console, lambda: upgrade(host, report, accepts_others=options.yes))


def upgrade(host: Host, report: Callable[[str], None], *, accepts_others: bool) -> None:
    """Upgrade the cluster; a converge has to follow, under the same lock. Raises DcorError, and the old one serves."""
    settings = settings_file.load(host)
    database = endpoints.of(settings).database
    _require_local(database)
    _require_quiet(host)
    if (settled := cluster_upgrade.settle(host, database)) is not None:
        report(settled)
    planned = cluster_upgrade.possible(host)
    _require_accepted(host, planned, database, accepts_others=accepts_others)
    report(f"The backup is in {upgrade_backup.make(host, f'postgresql-{planned.newer}', database)}.")
    cluster_upgrade.drop_empty(host, planned)
    report(
        f"Upgrading {planned.old.label} to {planned.newer}. Jobs end first, then everybody gets 503 until it is done."
    )
    began = time.monotonic()
    _exchange(host, settings, planned, database)
    report(
        f"{planned.new.label} has the database, after {time.monotonic() - began:.0f} s. {planned.old.label} is kept, and "
        f"stopped. When you have checked the server: {former_cluster.REMOVE}"
    )


def _require_local(database: Endpoint) -> None:
    if not database.local:
        raise DcorError(
            f"The database is external ({database.address}), so this machine has no cluster to upgrade.",
            "Upgrade PostgreSQL there.",
        )


def _require_quiet(host: Host) -> None:
    """Raise DcorError while something is under way that the upgrade would disturb. The lock is ours."""
    watch = watch_state.read(host)
    if migration_state.under_way(host) is not None:
        raise DcorError("A migration of the database was interrupted.", "To complete or undo it: dcor-server converge")
    if package_manager.is_busy(host):
        raise DcorError("apt or dpkg is running.", LATER)
    if pending.is_pending(host, pending.UPGRADE):
        raise DcorError("Packages were upgraded, and do not serve yet.", "First: dcor-server converge --wait")
    if watch is not None and time.time() < watch.until:
        until = time.strftime("%H:%M", time.localtime(watch.until))
        raise DcorError(f"The release {watch.release} is watched until {until}, since it is new.", LATER)


def _require_accepted(host: Host, planned: ClusterUpgrade, database: Endpoint, *, accepts_others: bool) -> None:
    """Raise DcorError where others have databases in the cluster, and nobody has said that they may come along."""
    found = cluster_upgrade.others(host, database.name)
    if found and not accepts_others:
        raise DcorError(
            f"{planned.old.label} has databases of others as well, which come along, and cannot be used meanwhile: "
            f"{', '.join(found)}.",
            "If that is right: dcor-server upgrade-database-cluster --yes",
        )


def _exchange(host: Host, settings: Settings, planned: ClusterUpgrade, database: Endpoint) -> None:
    """Upgrade while nobody writes, and let all programs go on, with whichever cluster it is."""
    try:
        cluster_upgrade.run(
            *(host, planned, database),
            stop=lambda: drain.drain(host, database.name),
            prove=lambda: _prove(host, settings),
        )
        mark = StoreMark(endpoints.of(settings).object_store, database)
        if mark.check(host) is not None:
            mark.apply(host)
    finally:
        if cluster_upgrade.under_way(host) is None:
            _serve(host, settings)
        else:  # it could not even be undone yet: 503 is right until a converge has done so
            pending.request(host, pending.CONVERGE)


def _prove(host: Host, settings: Settings) -> None:
    """Let the release answer with the new cluster, which it can only read yet. Raises DcorError."""
    serving = programs.serving(host)
    if serving is not None:
        switch.start(host, serving, settings.hostname)


def _serve(host: Host, settings: Settings) -> None:
    """Start all programs and end 503. The web server starts anew: its connections may refuse writes."""
    serving = programs.serving(host)
    if serving is not None:
        supervisor.stop(host, serving.web)
        supervisor.start(host, serving.web)
        switch.answers(host, serving, settings.hostname)
    host.remove(nginx.MAINTENANCE)
    if serving is not None:
        supervisor.start(host, serving.jobs)


def _remove_old(host: Host, options: argparse.Namespace, console: Console) -> int:
    with lock.held(host):
        done = former_cluster.remove(host)
    console.out(json.dumps({"message": done}, indent=1) if options.json else done)
    return OK


YES = argument("--yes", action="store_true", help="upgrade the databases of others in the same cluster as well")
REMOVE_OLD = argument("--remove-old", action="store_true", help="remove the cluster that an upgrade has left")
VERB = Verb(
    "upgrade-database-cluster",
    "upgrade the database to the newest installed PostgreSQL, after an upgrade of Debian",
    run,
    (JSON, YES, REMOVE_OLD),
    changes_machine=True,
)
