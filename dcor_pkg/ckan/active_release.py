"""The release that serves: its programs run with today's configuration, nginx points at them, and no others run."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import programs, release, supervisor, switch
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host


@dataclass(frozen=True)
class ActiveRelease:
    """A release in service. `reads`: the files and directories that CKAN reads when it starts."""

    release: str
    hostname: str
    data: str
    reads: tuple[str, ...]
    name: str = "active release"

    def check(self, host: Host) -> str | None:
        active = release.active(host)
        if active != self.release:
            return f"{active or 'none'} is active, not {self.release}"
        wanted = self._wanted(host)
        if programs.serving(host) != wanted:
            return "the configuration of CKAN has changed"
        file = wanted.file(self.data)
        if (drift := file.check(host)) is not None:
            return f"{file.path} {drift}"
        if not programs.have_copies(host, wanted):
            return f"{wanted.directory} does not hold what the programs read"
        states = supervisor.states(host)
        for program in (wanted.web, wanted.jobs):
            if states.get(program) not in (supervisor.RUNNING, "STARTING"):
                return f"{program} is {states.get(program, 'unknown to supervisor')}"
        others = [*switch.others(host, wanted), *release.left_over(host)]
        return f"{others[0]} of another time is still there" if others else None

    def apply(self, host: Host) -> None:
        wanted = self._wanted(host)
        programs.copy(host, wanted)
        file = wanted.file(self.data)
        if file.check(host) is not None:
            file.apply(host)
        try:
            switch.switch_to(host, wanted, self.hostname)
        except DcorError:
            serving = programs.serving(host)  # the new ones, if what failed came after nginx was pointed at them
            if serving not in (None, wanted):
                switch.forget_others(host, serving)
            raise
        switch.forget_others(host, wanted)
        for old in [*release.ids(host), *release.left_over(host)]:
            if old != self.release:
                release.remove(host, old)

    def _wanted(self, host: Host) -> Programs:
        return programs.wanted(host, self.release, self.reads)
