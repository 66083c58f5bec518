"""Whether apt or dpkg works on this machine, and on which files, asked in such a way that neither is disturbed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil

from dcor_pkg.machine.file_errors import explained
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.lock import Busy

#: locked from the beginning of apt, dpkg or unattended-upgrade to its end (dpkg's doc/frontend.txt). The last one holds
#: it over all of its steps (python-apt 2.6, SystemLock): only the inner lock, /var/lib/dpkg/lock, is free in between
LOCK = "/var/lib/dpkg/lock-frontend"
POLL_SECONDS = 1.0
#: the programs that take packages from files
INSTALLERS = ("apt", "apt-get", "aptitude", "dpkg")
HINT = "Nothing was changed. Does it ask something at a terminal? To see it: ps -C apt,apt-get,dpkg,unattended-upgr"


def is_busy(host: Host) -> bool:
    """Tell whether a package manager works. The lock is tested (lockf(3), F_TEST), and never held."""
    if not host.exists(LOCK):
        return False
    with explained(host.root, LOCK, "opened"):
        descriptor = os.open(host.path(LOCK), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.lockf(descriptor, os.F_TEST, 0)
    except (PermissionError, BlockingIOError):
        return True
    finally:
        os.close(descriptor)
    return False


def wait_until_idle(host: Host, wait: float) -> None:
    """Wait until no package manager works. Raises Busy where one still does after `wait` seconds."""
    deadline = time.monotonic() + wait
    while is_busy(host):
        if time.monotonic() > deadline:
            raise Busy("apt or dpkg is running.", HINT)
        time.sleep(POLL_SECONDS)


def given_files() -> list[str]:
    """Return the paths of the package files that its user gave to the package managers that run this process."""
    return [
        str(Path(each.cwd(), argument))
        for each in psutil.Process().parents()
        if each.name() in INSTALLERS and each.uids().real == os.getuid()
        for argument in each.cmdline()
        if argument.endswith(".deb") and not argument.startswith("-")
    ]
