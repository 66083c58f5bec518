"""The example site of Debian's package nginx, which is the default server of a fresh installation.

Ours has to be the default server itself (it closes connections that ask for other host names), and nginx accepts one.
"""

from __future__ import annotations

from dcor_pkg.kernel import pending
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host

PATH = "/etc/nginx/sites-available/default"
ENABLED = "/etc/nginx/sites-enabled/default"
#: what the link of an enabled example contains; any other link of that name is an admin's site, and stays
TARGETS = (PATH, "../sites-available/default")
#: an empty file: the example was enabled before this package disabled it
WAS_ENABLED = f"{paths.STATE}/nginx/example-was-enabled"


def is_enabled(host: Host) -> bool:
    """Return whether nginx serves the example."""
    return host.target(ENABLED) in TARGETS


def disable(host: Host) -> None:
    """Disable the example where it is enabled, and record that it was."""
    if is_enabled(host):
        pending.request(host, pending.RELOAD_NGINX)
        host.write(WAS_ENABLED, "", Access(0o644))
        host.remove(ENABLED)


def restore(host: Host) -> None:
    """Enable the example again if it was enabled before `disable` and still exists."""
    if host.exists(WAS_ENABLED) and host.exists(PATH):
        host.link(ENABLED, PATH)
    host.remove(WAS_ENABLED)
