"""Pending actions: restarts and reloads, requested by who changes a file and carried out by the step of the service.

Each is an empty file until it is carried out, so after a crash between the change and the reload the next run does it.
"""

from __future__ import annotations

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import STATE

#: the site, the certificate or what they include has changed
RELOAD_NGINX = "reload nginx.service"
#: the search index has to be rebuilt: what it is made from has changed, or how
REBUILD_INDEX = "rebuild index"
#: the core in use may lack what was indexed in the other one just before it came into use
CATCH_UP_INDEX = "catch up index"
#: the last converge has failed, or could not begin; the timer dcor-retry looks for this file, too
CONVERGE = "converge"
#: an administrator wants another certificate of the authority now, or one with another key
RENEW_CERTIFICATE, NEW_KEY = "renew certificate", "make a key"
#: packages were upgraded since the last converge began
UPGRADE = "upgrade"
DIRECTORY = f"{STATE}/pending"


def request(host: Host, action: str) -> None:
    """Make an action ("restart UNIT", "reload UNIT") pending; call this before the change, not after it."""
    host.write(f"{DIRECTORY}/{action}", "", Access(0o600))


def is_pending(host: Host, action: str) -> bool:
    """Tell whether an action was requested since it was last carried out."""
    return host.exists(f"{DIRECTORY}/{action}")


def clear(host: Host, action: str) -> None:
    """Record that an action was carried out."""
    host.remove(f"{DIRECTORY}/{action}")
