"""Reloads and restarts that are due: asked for by whoever changes a file, done by the step of the service.

Each is an empty file until it is done, so a crash between writing and reloading heals at the next run.
"""

from __future__ import annotations

from dcor_pkg.machine.host import Access, Host

#: the site, the certificate or what they include has changed
RELOAD_NGINX = "reload nginx.service"
#: what the search index was made from, or how, has changed
REBUILD_INDEX = "rebuild index"
#: the last converge did not end well, or could not begin; a timer looks for this
CONVERGE = "converge"
DIRECTORY = "/var/lib/dcor-server/pending"


def request(host: Host, handler: str) -> None:
    """Remember that `handler` ("restart UNIT", "reload UNIT") is due; called before the change, not after."""
    host.write(f"{DIRECTORY}/{handler}", "", Access(0o600))


def is_pending(host: Host, handler: str) -> bool:
    """Tell whether somebody has asked for it since it was last done."""
    return host.exists(f"{DIRECTORY}/{handler}")


def clear(host: Host, handler: str) -> None:
    """Forget it."""
    host.remove(f"{DIRECTORY}/{handler}")
