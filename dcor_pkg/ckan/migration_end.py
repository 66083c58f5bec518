"""How a migration ends: completed or undone, in the same run, or by the next converge after a power cut.

Each part may be repeated, since the power can fail here as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import held_release, migration_state, past_releases, programs, supervisor, switch, unit
from dcor_pkg.ckan.migration_state import Act
from dcor_pkg.kernel import pending, systemd_service
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import copies


@dataclass(frozen=True)
class NoHalfMigration:
    """No migration is under way; only a power cut, or a killed command, leaves one."""

    hostname: str
    database: Endpoint
    name: str = "no migration under way"

    def check(self, host: Host) -> str | None:
        if not is_under_way(host):
            return None
        act = migration_state.under_way(host)
        if act is None:
            return "everybody gets 503"
        end = "is completed" if act.turned else "is undone"
        return f"that to the release {act.wanted.release} was interrupted, and {end}"

    def apply(self, host: Host) -> None:
        act = migration_state.under_way(host)
        if act is None:
            self._end_unknown(host)
        elif act.turned:
            complete(host, act)
        else:
            undo(host, act, self.database, self.hostname)

    def _end_unknown(self, host: Host) -> None:
        """End 503 where the record of what was under way is lost, and with it whether the database refuses writes."""
        if self.database.local:
            copies.allow_writes(host, self.database.name)
        host.remove(nginx.MAINTENANCE)


def is_under_way(host: Host) -> bool:
    """Return whether a migration is under way, or its record is lost and everybody gets 503."""
    return host.exists(nginx.MAINTENANCE) or migration_state.under_way(host) is not None


def complete(host: Host, act: Act) -> None:
    """End 503: nginx has turned to the new programs; the step of the object store's mark comes later."""
    if act.should_run:
        held_release.settle(host, act.should_run, act.wanted.release, act.reason)
    host.remove(nginx.MAINTENANCE)
    migration_state.forget(host)


def undo_unless_turned(host: Host, database: Endpoint, hostname: str) -> None:
    """Undo what is under way, if anything is and nginx has not turned. Raises DcorError."""
    act = migration_state.under_way(host)
    if act is not None and not act.turned:
        undo(host, act, database, hostname)


def undo(host: Host, act: Act, database: Endpoint, hostname: str) -> None:
    """Restore the former database and the former programs, and end 503. Raises DcorError, and may be repeated."""
    restore(host, act, database)
    _take_back_records(host, act, database)
    if systemd_service.unit_state(host, unit.UNIT)["ActiveState"] != "active":
        systemd_service.start(host, unit.UNIT)
    if programs.serving(host) != act.former:
        pending.request(host, pending.RELOAD_NGINX)
        switch.turn(host, act.former)
    switch.forget_others(host, act.former)
    _restart(host, act.former.web)
    # One that did not answer before is no reason to keep all others from its pages, or a new release from another try.
    switch.answers(host, act.former, hostname)
    host.remove(nginx.MAINTENANCE)
    _restart(host, act.former.jobs)
    migration_state.forget(host)


def _take_back_records(host: Host, act: Act, database: Endpoint) -> None:
    """Take back what was recorded for the case that nginx turns. What is held back is recorded after that."""
    own = "" if act.incoming == copies.copy_name(database) else act.incoming
    past_releases.take_back(host, act.former, act.wanted, own)


def _restart(host: Host, program: str) -> None:
    """Start a program; one that a boot has started may have connections that refuse writes."""
    supervisor.stop(host, program)
    supervisor.start(host, program)


def restore(host: Host, act: Act, database: Endpoint) -> None:
    """Give the former database its name back, if it has another one, and drop the copy.

    Whatever has the copy's name in a migration is ours, since nothing had it before the act was recorded.
    """
    if copies.exists(host, act.aside):
        copies.exchange(host, database.name, act.aside, act.incoming)
    if act.incoming == copies.copy_name(database):
        copies.drop(host, act.incoming)
    copies.allow_writes(host, database.name)
