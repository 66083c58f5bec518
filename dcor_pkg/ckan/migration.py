"""Migrate the database of a server that serves: a copy is migrated and proven, then names and programs are exchanged.

docs/decisions/database-released-like-code.md has the order and its reasons.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dcor_pkg.ckan import (
    ckan_ini,
    database_schema,
    drain,
    migration_end,
    migration_state,
    programs,
    release,
    supervisor,
    switch,
    watch_state,
)
from dcor_pkg.ckan import log as ckan_log
from dcor_pkg.ckan.migration_state import Act
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import CommandFailed, DcorError, reason, undoing
from dcor_pkg.kernel import managed_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.process import Program
from dcor_pkg.runtime import trial
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store.ownership import StoreMark
from dcor_pkg.services.postgresql import copies

#: how long the tables of a large database may take
TIMEOUT_SECONDS = 4 * 3600.0
#: how long CKAN may take to load, while all goes on as before
LOADING_SECONDS = 600.0
#: how long a former database is kept at least
KEEP_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Migration:
    """To the programs of a release. `data` and `queues` are those of its programs, `mark` that of the object store."""

    wanted: Programs
    hostname: str
    data: str
    queues: tuple[str, ...]
    database: Endpoint
    mark: StoreMark

    def run(self, host: Host, former: Programs) -> None:
        """Migrate and switch. Raises DcorError; then the former programs serve with the former database."""
        migration_state.require_not_paused(host, self.wanted.release)
        copies.require_replaceable(host, self._copy.name)
        copies.require_room(host, self.database)
        act = Act(self.wanted, former, copies.former_name(self.database, former.release), self._copy.name)
        held = {self._tried, self.wanted} - {former}
        with self._loaded(host, former, held) as migrating:
            act.record(host)
            try:
                drain.drain(host, self.database.name, [it.web for it in held])
                self._prove_on_copy(host, migrating)
                copies.exchange(host, self.database.name, self._copy.name, act.aside)
                # The new job workers do not start before nginx has turned.
                self.wanted.file(self.data, self.queues if self.wanted == former else ()).apply(host)
                switch.switch_to(host, self.wanted, self.hostname, lambda: self._turned(host, act))
            except BaseException as error:
                self._go_back(host, error)
                raise
        self._forget_former(host, act.aside)

    @property
    def _copy(self) -> Endpoint:
        return copies.of(self.database, copies.copy_name(self.database))

    @property
    def _tried(self) -> Programs:
        return self.wanted.trial

    @contextlib.contextmanager
    def _loaded(self, host: Host, former: Programs, held: Collection[Programs]) -> Iterator[Program]:
        """Load CKAN in web servers and in the program that migrates, up to the first connection to a database.

        The site still serves. Give the program that migrates. Raises DcorError.
        """
        programs.copy_for_trial(host, self._tried, ckan_ini.address(host, self._copy))
        for it in held:
            it.file(self.data, ()).apply(host)
        command = ("python", "-m", "dcor_runtime.database", "trial")
        configuration = f"{self._tried.directory}/ckan.ini"
        with release.started(host, self.wanted.release, *command, configuration=configuration) as migrating:
            try:
                switch.load(host, held)
                with _failures_of_ckan():
                    migrating.await_output(trial.HELD, LOADING_SECONDS)
                copies.prepare(host)
            except BaseException as error:
                self._record_failure(host, error)
                with undoing(error):
                    switch.forget_others(host, former)
                raise
            yield migrating

    def _prove_on_copy(self, host: Host, migrating: Program) -> None:
        """Make a copy, migrate it, and let the release read and write it."""
        tried = self._tried
        copies.make(host, self.database, self._copy.name)
        token = self._migrate(host, migrating)
        switch.start(host, tried, self.hostname)
        switch.prove_write(host, tried, self.hostname, token)
        managed_file.remove(host, tried.file(self.data, ()).path)
        supervisor.update(host)
        host.remove_tree(tried.directory)
        copies.remove_trial_token(host, self._copy)

    def _migrate(self, host: Host, migrating: Program) -> str:
        """Migrate the copy, and return a token for it. Raises DcorError with what CKAN says."""
        with _failures_of_ckan():
            output = migrating.finish("now\n", TIMEOUT_SECONDS)
        drift = database_schema.outdated(host, self.wanted.release, self._copy)
        if drift is not None:
            raise DcorError(f"A copy of the database was migrated, and {drift}.")
        return output.split()[-1]

    def _turned(self, host: Host, act: Act) -> None:
        """Record that nginx passes requests to the new programs, and let them in."""
        watch_state.take_over(host, act.wanted, act.former, act.aside)
        replace(act, turned=True).record(host)
        try:
            # Nothing is deleted from the store before; the step of the mark would be too late for the job workers.
            if self.mark.check(host) is not None:
                self.mark.apply(host)
        finally:
            migration_end.complete(host, act)
            self.wanted.file(self.data, self.queues).apply(host)
            supervisor.update(host)

    def _go_back(self, host: Host, error: BaseException) -> None:
        """Undo what is under way, unless nginx has turned. Raises DcorError where that is not possible yet."""
        act = migration_state.under_way(host)
        if act is None or act.turned:
            return
        self._record_failure(host, error)
        with undoing(error):
            migration_end.undo_unless_turned(host, self.database, self.hostname)

    def _record_failure(self, host: Host, error: BaseException) -> None:
        """Record that the release has failed, unless a command of the machine has, or somebody ends this one.

        The former happens where the machine shuts down.
        """
        if isinstance(error, Exception) and not isinstance(error, CommandFailed):
            migration_state.record_failure(host, self.wanted.release, reason(error))

    def _forget_former(self, host: Host, newest: str) -> None:
        """Drop former databases that were replaced more than a week ago, but not the newest."""
        for name in copies.former(host, self.database):
            if name != newest and time.time() - copies.since(name) > KEEP_SECONDS:
                copies.drop(host, name)


@contextlib.contextmanager
def _failures_of_ckan() -> Iterator[None]:
    """Raise a failure of the program that migrates with what CKAN says."""
    try:
        yield
    except CommandFailed as error:
        message = ckan_log.exception(error.hint) or error.reason
        raise DcorError(f"A copy of the database cannot be migrated: {message}", error.hint) from None
