"""Whether CKAN's processes use files that an upgrade has replaced: a security update helps only after a restart.

needrestart(1) leaves CKAN alone (ckan/templates/needrestart.conf), since it comes at any time of the day.
"""

from __future__ import annotations

import re

from dcor_pkg.ckan import programs, supervisor, unit
from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host

#: a program or library in a list of what a process has mapped, whose file was removed or replaced (proc(5), "maps")
REPLACED = re.compile(r" (/(?:usr/)?(?:bin|lib)[^ \n]*) \(deleted\)$", re.MULTILINE)


def replaced_file(host: Host) -> str | None:
    """Return a file that a process of CKAN uses in its former version, or None."""
    found = (REPLACED.search(host.read(f"/proc/{process}/maps") or "") for process in _processes(host))
    return next((match[1] for match in found if match), None)


def request_restart(host: Host) -> None:
    """Let the timer dcor-retry converge within the hour, which restarts CKAN and proves that it answers."""
    pending.request(host, unit.RESTART)
    pending.request(host, pending.CONVERGE)


def _processes(host: Host) -> list[int]:
    """Return supervisor's process, and those from which web server and job workers were forked."""
    main = int(host.run("systemctl", "show", "--property=MainPID", unit.UNIT).partition("=")[2])
    serving = programs.serving(host)
    names = () if serving is None else (serving.web, serving.jobs)
    return [process for process in (main, *(supervisor.process(host, name) for name in names)) if process]
