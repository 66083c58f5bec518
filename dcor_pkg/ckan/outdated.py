"""Whether CKAN's processes use files that an upgrade has replaced: a security update helps only after a restart.

needrestart(1) leaves CKAN alone (ckan/templates/needrestart.conf), since it comes at any time of the day.
"""

from __future__ import annotations

import re

from dcor_pkg.ckan import processes, unit
from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host

#: a program or library in a list of what a process has mapped, whose file was removed or replaced (proc(5), "maps")
REPLACED = re.compile(rb" (/(?:usr/)?(?:bin|lib)[^ \n]*) \(deleted\)$", re.MULTILINE)


def replaced_file(host: Host) -> str | None:
    """Return a file that a process of CKAN uses in its former version, or None."""
    found = (REPLACED.search(processes.read(host, process, "maps")) for process in processes.inside(host))
    return next((match[1].decode("utf-8", "replace") for match in found if match), None)


def request_restart(host: Host) -> None:
    """Let the timer dcor-retry converge within the hour, which restarts CKAN and proves that it answers."""
    pending.request(host, unit.RESTART)
    pending.request(host, pending.CONVERGE)
