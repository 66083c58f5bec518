"""The step that puts a release in service with the present configuration, on a database with its tables.

Other releases are removed, but for that to which there is a way back.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import (
    database_schema,
    held_release,
    past_releases,
    programs,
    release,
    supervisor,
    switch,
    unit,
    watch_state,
)
from dcor_pkg.ckan.migration import Migration
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.systemd_service import Service, unit_state
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CURRENT
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store.ownership import StoreMark

SERVICE = Service(unit.UNIT)


@dataclass(frozen=True)
class ActiveRelease:
    """A release in service, in CKAN's unit. `reads`: the files and directories that CKAN reads when it starts.

    `queues`: those of each job worker, with commas.

    One step, so that what a restart of the unit has started is proven as well.
    """

    release: str
    hostname: str
    data: str
    reads: tuple[str, ...]
    queues: tuple[str, ...]
    database: Endpoint
    mark: StoreMark
    name: str = "active release"

    def check(self, host: Host) -> str | None:
        if (drift := SERVICE.check(host)) is not None:
            return f"{unit.UNIT} {drift}"
        active = release.active(host)
        if active != self.release:
            return f"the active release is {active or 'none'}, not {self.release}"
        wanted = self._wanted(host)
        if programs.serving(host) != wanted:
            return "the configuration of CKAN has changed since its programs were started"
        return (
            self._database_drift(host)
            or self._programs_drift(host, wanted)
            or self._web_drift(host, wanted)
            or _leftovers(host, wanted)
        )

    def apply(self, host: Host) -> None:
        serving = programs.serving(host)
        if serving is not None and release.active(host) is None and release.is_made(host, serving.release):
            # CKAN reads files by this path when it starts.
            host.link(CURRENT, f"releases/{serving.release}")
        if serving == self._wanted(host) and self._is_deaf(host, serving):
            pending.request(host, unit.RESTART)
        if SERVICE.check(host) is not None:
            SERVICE.apply(host)
        wanted = self._wanted(host)
        programs.copy(host, wanted)
        try:
            if serving is not None and self._database_drift(host) is not None:
                self._migration(wanted).run(host, serving)
            else:
                self._switch(host, wanted)
        finally:
            watch_state.start(host)  # also where nginx has turned, and the former programs cannot be stopped
        held = held_release.read(host)
        if held is not None and self.release != held.instead:
            held_release.forget(host)
        switch.forget_others(host, wanted)
        self._remove_others(host)

    def _remove_others(self, host: Host) -> None:
        kept = {self.release, *(it.release for it in past_releases.read(host))}
        for old in [*release.ids(host), *release.incomplete(host)]:
            if old not in kept or not release.is_made(host, old):
                release.remove(host, old)

    def file(self, wanted: Programs) -> ManagedFile:
        """Return supervisor's file for programs."""
        return wanted.file(self.data, self.queues)

    def set_mark(self, host: Host) -> None:
        """Let the object store know the database, if that has changed. Raises DcorError."""
        if self.mark.check(host) is not None:
            self.mark.apply(host)

    def _database_drift(self, host: Host) -> str | None:
        """Return how the tables of a database that is migrated here differ from those of the release, or None."""
        drift = database_schema.outdated(host, self.release, self.database) if self.database.local else None
        if drift is None or not database_schema.is_migrated_by_switch(host, self.database):
            return None
        return f"the database {self.database.name} {drift}"

    def _migration(self, wanted: Programs) -> Migration:
        return Migration(wanted, self.hostname, self.data, self.queues, self.database, self.mark)

    def _programs_drift(self, host: Host, wanted: Programs) -> str | None:
        """Return how the programs' files and processes differ from the desired ones, or None."""
        file = self.file(wanted)
        if (drift := file.check(host)) is not None:
            return f"{file.path} {drift}"
        if (drift := programs.copies_drift(host, wanted)) is not None:
            return drift
        if not host.exists(supervisor.SOCKET):
            return f"the socket {supervisor.SOCKET} of supervisor is gone"
        states = supervisor.states(host)
        for program in (wanted.web, wanted.jobs):
            if states.get(program) not in (supervisor.RUNNING, "STARTING"):
                return f"the program {program} is {states.get(program, 'unknown to supervisor')}"
        return None

    def _web_drift(self, host: Host, wanted: Programs) -> str | None:
        """Return why the web server cannot serve although its process runs, or None."""
        for socket in wanted.sockets:
            if not host.exists(socket):
                return f"the socket {socket} of {wanted.web} is gone"
        return switch.probe_search(host, wanted, self.hostname)

    def _is_deaf(self, host: Host, wanted: Programs) -> bool:
        """Return whether the web server does not answer, also after the time that its start may take.

        One that answers with an error is not restarted: that would not help, and be repeated each hour. Without its
        socket supervisor cannot be asked to start or stop anything, whatever its programs do.
        """
        if not host.exists(supervisor.SOCKET):
            return unit_state(host, unit.UNIT)["ActiveState"] == "active"
        if self._programs_drift(host, wanted) is not None or self._web_drift(host, wanted) is None:
            return False
        return not all(map(host.exists, wanted.sockets)) or not switch.answers(host, wanted, self.hostname)

    def _switch(self, host: Host, wanted: Programs) -> None:
        """Switch to the programs. If that fails, only those that nginx is pointed at stay. Raises DcorError."""
        file, former = self.file(wanted), programs.serving(host)
        if file.check(host) is not None:
            file.apply(host)
        try:
            switch.switch_to(host, wanted, self.hostname, lambda: watch_state.take_over(host, wanted, former))
        except DcorError:
            serving = programs.serving(host)  # may be the new ones: a step after the change of nginx can fail as well
            if serving not in (None, wanted):
                switch.forget_others(host, serving)
            raise

    def _wanted(self, host: Host) -> Programs:
        return programs.wanted(host, self.release, self.reads)


def _leftovers(host: Host, wanted: Programs) -> str | None:
    """Return which program or release of an earlier time has not been removed yet, or None."""
    for program in switch.others(host, wanted):
        return f"the program {program} of a former release or configuration has not been removed yet"
    for name in release.incomplete(host):
        return f"the directory {release.directory(name)} of an incomplete release has not been removed yet"
    return None
