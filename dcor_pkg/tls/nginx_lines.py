"""Lines for nginx that depend on the served certificate: files that the site includes where they exist."""

from __future__ import annotations

from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host
from dcor_pkg.tls.pair import DIRECTORY, PUBLIC


def path(name: str) -> str:
    """Return the file with the lines of this name."""
    return f"{DIRECTORY}/{name}.conf"


def included(name: str) -> str:
    """Return what the site includes: nginx accepts that nothing matches it, while a file without * has to exist."""
    return f"{DIRECTORY}/{name}*.conf"


def check(host: Host, name: str, wanted: str | None) -> str | None:
    """Return how the file differs from a text, None for no file."""
    found = host.read(path(name))
    if found is not None and wanted is None:
        return f"{path(name)} is there, and the certificate does not allow it"
    if found != wanted:
        return f"{path(name)} {'is missing' if found is None else 'has another text'}"
    drift = None if found is None else host.access_drift(path(name), PUBLIC)
    return None if drift is None else f"{path(name)} {drift}"


def apply(host: Host, name: str, wanted: str | None) -> None:
    """Write or remove the file."""
    pending.request(host, pending.RELOAD_NGINX)
    if wanted is None:
        host.remove(path(name))
    else:
        host.write(path(name), wanted, PUBLIC)
