"""Take the site down, when the package is removed."""

from __future__ import annotations

from dcor_pkg.kernel import managed_file
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import example_site, site, workers
from dcor_pkg.nginx.service import DROP_IN, UNIT


def take_down(host: Host) -> None:
    """Disable the site, and enable Debian's example again if it was enabled before the package was installed."""
    host.remove(site.ENABLED)
    example_site.restore(host)
    managed_file.remove(host, DROP_IN.path)
    host.run("systemctl", "daemon-reload")
    former = workers.current(host)
    if former:
        host.run("systemctl", "reload", UNIT)
        workers.await_new(host, former)
