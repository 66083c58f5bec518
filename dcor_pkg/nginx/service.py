"""The service nginx, that systemd starts it again when it is killed, and whether its ports are free."""

from __future__ import annotations

from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.systemd_service import Service, pending_actions
from dcor_pkg.machine import ports
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import SYSTEMD_UNITS
from dcor_pkg.nginx import workers

UNIT = "nginx.service"
#: the ports of the site, with the program that may already listen on them
PORTS = {80: ("nginx",), 443: ("nginx",)}
DROP_IN = ManagedFile(f"{SYSTEMD_UNITS}/{UNIT}.d/dcor-server.conf", "nginx/templates/unit.conf")


class NginxService(Service):
    """The service; a reload is complete only when no process with the former configuration takes requests."""

    def apply(self, host: Host) -> None:
        former = workers.current(host) if pending_actions(host, self.unit) else []
        super().apply(host)
        workers.await_new(host, former)


def check_ports(host: Host, proposal: Proposal) -> None:
    """Raise DcorError if another program than nginx listens on port 80 or 443, whatever is proposed."""
    ports.require_free(PORTS)
