"""Which of our services use files that an upgrade has replaced: a security update helps only after a restart.

needrestart(1) leaves them alone (ckan/templates/needrestart.conf), since it comes at any time of the day. The packages
of PostgreSQL and Solr restart them when they are upgraded; one of a library, of Python or of Redis restarts none.

CKAN gets other programs, as for another configuration: no request fails. Its supervisor talks to root alone, and goes
on with the former files until its unit is restarted for another reason.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import processes, unit
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import STATE
from dcor_pkg.services import engines

#: a program or library in a list of what a process has mapped, whose file was removed or replaced (proc(5), "maps")
REPLACED = re.compile(rb" (/(?:usr/)?(?:bin|lib)[^ \n]*) \(deleted\)$", re.MULTILINE)
#: part of the programs' configuration (steps.py), so that another text, which is a time, starts others
ANEW = f"{STATE}/programs-anew"
#: in the command line of CKAN's supervisor alone
SUPERVISOR = b"/supervisord\0"


def replaced_files(host: Host, settings: Settings) -> dict[str, str]:
    """Return the units of CKAN and of its local services that use a file in its former version, each with one file."""
    units = [*_engines(host, settings), unit.UNIT]
    found = ((name, _replaced_file(host, name)) for name in units)
    return {name: file for name, file in found if file is not None}


def request_restarts(host: Host, units: Iterable[str]) -> None:
    """Let the timer dcor-retry converge within the hour, which restarts units and proves that the site answers."""
    for name in units:
        if name == unit.UNIT:
            host.write(ANEW, f"{time.time()}\n", Access(0o600))
        else:
            pending.request(host, f"restart {name}")
        pending.request(host, pending.CONVERGE)


def notices(host: Host, settings: Settings) -> list[Notice]:
    """Return a notice for each of these units."""
    message = "is used by {}, and an upgrade has replaced it"
    hint = "It is restarted at night. To do it now: dcor-server nightly, and then dcor-server converge"
    return [Notice(file, message.format(name), hint) for name, file in replaced_files(host, settings).items()]


def _engines(host: Host, settings: Settings) -> list[str]:
    """Return the units of the local services; that of a cluster which is gone has no process."""
    found = []
    for engine in engines.local(settings):
        with contextlib.suppress(DcorError):
            found.append(engine.running_unit(host))
    return found


def _replaced_file(host: Host, name: str) -> str | None:
    users = [it for it in processes.inside(host, name) if SUPERVISOR not in processes.read(host, it, "cmdline")]
    found = (REPLACED.search(processes.read(host, process, "maps")) for process in users)
    return next((match[1].decode("utf-8", "replace") for match in found if match), None)
