"""Debian's own instance of Redis, which starts when its package is installed: a port without a password, for everybody.

CKAN has an instance of its own. Where Debian's came with this package, nobody has asked for it, so it is stopped: once,
because an administrator may start it later, for programs of his own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import STATE

UNIT = "redis-server.service"
PACKAGE = "redis-server"
#: which packages were installed because another one needs them (apt-mark(8))
AUTOMATIC = "/var/lib/apt/extended_states"
#: exists when this was done
STATE_FILE = f"{STATE}/debian-redis.json"


@dataclass(frozen=True)
class DebianInstanceStopped:
    """Debian's instance was stopped, if it came with this package."""

    name: str = "Debian's own Redis"

    def check(self, host: Host) -> str | None:
        if host.exists(STATE_FILE) or not _came_with_us(host):
            return None
        return f"{UNIT} came with this package, and nobody needs it"

    def apply(self, host: Host) -> None:
        host.run("systemctl", "disable", "--now", "--quiet", UNIT)
        state_file.write(host, STATE_FILE, {"stopped": UNIT})


def _came_with_us(host: Host) -> bool:
    """Return whether apt has installed Redis for the sake of another package."""
    entries = (host.read(AUTOMATIC) or "").split("\n\n")
    return any(
        re.search(rf"^Package: {PACKAGE}$", entry, re.MULTILINE) and "Auto-Installed: 1" in entry for entry in entries
    )
