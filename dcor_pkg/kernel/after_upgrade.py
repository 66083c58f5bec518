"""A converge after packages were upgraded: requested while apt runs, and carried out by a unit when apt has ended.

One run of apt, or one night of unattended-upgrades in many steps, is thus one release, of what is installed at its end.
"""

from __future__ import annotations

from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host

#: its command waits until no package manager works any more (debian/dcor-server.dcor-converge.service)
UNIT = "dcor-converge.service"


def request(host: Host) -> None:
    """Let the unit converge when apt has ended. Where it cannot be started, the timer dcor-retry does it later."""
    for action in (pending.CONVERGE, pending.UPGRADE):
        pending.request(host, action)
    host.run("systemctl", "start", "--no-block", UNIT)
