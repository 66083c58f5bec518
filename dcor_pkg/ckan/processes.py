"""Find the processes of CKAN's programs, by what the kernel tells of each (proc(5)): control group, and environment."""

from __future__ import annotations

import contextlib
import pwd
import re

from dcor_pkg.ckan import unit
from dcor_pkg.ckan.programs import CONFIGURATIONS
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER

#: beginnings of variables that each program has (programs.conf), and what it starts. CKAN's commands have another
#: configuration; what dcor-server itself asks of a release may have the same one, and is of no program.
MARKS = (b"PROGRAMS=", f"CKAN_INI={CONFIGURATIONS}/".encode())
#: a process may end at any moment
GONE = (FileNotFoundError, ProcessLookupError)


def inside(host: Host, name: str = unit.UNIT) -> list[int]:
    """Return the processes in the control group of a unit."""
    return [process for process in _all(host) if _is_inside(host, process, name)]


def outside(host: Host) -> list[int]:
    """Return the processes of CKAN's user that run its programs, and are not in that control group."""
    return [process for process in _all(host) if is_outside(host, process)]


def is_outside(host: Host, process: int) -> bool:
    """Tell whether this is one of those."""
    if not _is_of_ckan(host, process):
        return False  # anybody can have such an environment
    # First, and then what only a process has that runs: it may end at any moment, and is in no control group then.
    inside_of_it = _is_inside(host, process, unit.UNIT)
    variables = read(host, process, "environ").split(b"\0")
    return not inside_of_it and all(any(it.startswith(mark) for it in variables) for mark in MARKS)


def read(host: Host, process: int, name: str) -> bytes:
    """Return a file of a process, empty where it has ended; nobody can make names in that directory."""
    with contextlib.suppress(*GONE):
        return host.path(f"/proc/{process}/{name}").read_bytes()
    return b""


def _is_of_ckan(host: Host, process: int) -> bool:
    """Tell whether the real user of a process is CKAN's (proc(5), "status")."""
    found = re.search(rb"^Uid:\t(\d+)\t", read(host, process, "status"), re.MULTILINE)
    return found is not None and int(found[1]) == pwd.getpwnam(CKAN_USER).pw_uid


def _is_inside(host: Host, process: int, name: str) -> bool:
    return f"/{name}".encode() in read(host, process, "cgroup")


def _all(host: Host) -> list[int]:
    return sorted(int(name) for name in host.names("/proc") if name.isdigit())
