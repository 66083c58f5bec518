"""Go back to a former release, and to its database where the next release has migrated that.

What was written since the migration is dumped first. As in a migration, nginx turns last, and what fails or is cut
before leaves everything as it was (docs/decisions/database-released-like-code.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from dcor_pkg.ckan import (
    database_schema,
    drain,
    held_release,
    migration_end,
    migration_state,
    past_releases,
    programs,
    release,
    search_core,
    supervisor,
    switch,
    upgrade_backup,
    watch_state,
)
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.migration_state import Act
from dcor_pkg.ckan.past_releases import Served
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import DcorError, undoing
from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host
from dcor_pkg.services.postgresql import copies


@dataclass(frozen=True)
class GoingBack:
    """To a release that has served. `step` is that of the active release, `wanted` the one that should run."""

    target: Served
    step: ActiveRelease
    wanted: str
    reason: str

    def run(self, host: Host, *, with_database: bool) -> str | None:
        """Switch, and return where what was written meanwhile is, if the database changed as well. Raises DcorError."""
        serving = programs.serving(host)
        self._require(host, serving)
        drift = database_schema.outdated(host, self.target.release, self.step.database)
        if serving is None or drift is None:
            self._switch(host, self.step.queues, lambda: self._without_database(host, serving))
            return None
        self._require_database(host, with_database=with_database)
        return self._with_database(host, serving)

    def _require(self, host: Host, serving: Programs | None) -> None:
        """Raise DcorError where there is nothing to go back to."""
        target = self.target.programs
        if migration_state.under_way(host) is not None:
            raise DcorError("A migration of the database was interrupted.", "To end it first: dcor-server converge")
        if serving is not None and serving.release == target.release:
            raise DcorError(f"The release {target.release} serves already.", "dcor-server release list")
        if not release.is_made(host, target.release) or not host.exists(f"{target.directory}/ckan.ini"):
            raise DcorError(f"The release {target.release} is not complete any more.", "dcor-server release list")
        search_core.require_for_way_back(host, target.release, self._ini(host))

    def _require_database(self, host: Host, *, with_database: bool) -> None:
        name, since = self.target.database, past_releases.read(host)[0].since
        if not self.step.database.local or not name or not copies.exists(host, name):
            raise DcorError(
                f"The release {self.target.release} cannot use the present database, and its own is not there any more.",
                f"A dump of it may be in {upgrade_backup.DIRECTORY}; pg_restore(1) reads it.",
            )
        if not with_database:
            moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(since))
            raise DcorError(
                f"The release {self.target.release} cannot use the present database, which was migrated.",
                f"With --with-database it gets its own again ({name}). All that was written since {moment} (datasets, users, "
                f"changes) is then missing on the site; it is dumped into {upgrade_backup.DIRECTORY} first.",
            )

    def _with_database(self, host: Host, serving: Programs) -> str:
        database = self.step.database
        aside = copies.former_name(database, serving.release)
        act = Act(self.target.programs, serving, aside, self.target.database, should_run=self.wanted)
        act.record(host)
        try:
            drain.drain(host, database.name)
            dumped = upgrade_backup.make(host, f"{serving.release}{upgrade_backup.LEFT}", database)
            act = replace(act, reason=f"{self.reason}; what was written meanwhile is in {dumped}")
            copies.exchange(host, database.name, self.target.database, aside)
            # Its job workers do not start before nginx has turned.
            self._switch(host, (), lambda: self._turned(host, act))
        except BaseException as error:
            with undoing(error):
                migration_end.undo_unless_turned(host, database, self.step.hostname)
            raise
        return dumped

    def _switch(self, host: Host, queues: tuple[str, ...], turned: switch.Turned) -> None:
        """Start the release with the configuration that it had, prove it, and turn nginx."""
        target = self.target.programs
        search_core.request_for_way_back(host, self._ini(host))
        target.file(self.step.data, queues).apply(host)
        switch.switch_to(host, target, self.step.hostname, turned)
        switch.forget_others(host, target)

    def _ini(self, host: Host) -> str | None:
        """Return the ckan.ini of the release; with it the release names the core that it has used."""
        return host.read(f"{self.target.programs.directory}/ckan.ini")

    def _turned(self, host: Host, act: Act) -> None:
        self._record(host, act.former, act.aside)
        replace(act, turned=True).record(host)
        pending.request(host, pending.REBUILD_INDEX)
        try:
            self.step.set_mark(host)
        finally:
            migration_end.complete(host, act)
            self.step.file(act.wanted).apply(host)
            supervisor.update(host)

    def _without_database(self, host: Host, former: Programs | None) -> None:
        self._record(host, former)
        held_release.settle(host, self.wanted, self.target.release, self.reason)

    def _record(self, host: Host, former: Programs | None, database: str = "") -> None:
        """Record what serves, and what the former programs have left."""
        past_releases.record(host, self.target.programs, former, database)
        watch_state.end(host)
