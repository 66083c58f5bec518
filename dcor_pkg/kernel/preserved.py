"""What a purge has preserved: secrets and certificate, which are needed to read the data, and the admin's additions.

The settings are preserved as well; `settings_file.save` restores them, under the answers that were given since.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.instance import INSTANCE, PRESERVED_INSTANCE, become
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host

#: the directories of the configuration that a purge preserves (debian/dcor-server.postrm)
DIRECTORIES = ("secrets", "tls", "acme", "ckan.d", "nginx.d")


@dataclass(frozen=True)
class PreservedSettings:
    """Restore what an earlier installation has left, before anything else is made."""

    name: str = "preserved settings"

    def check(self, host: Host) -> str | None:
        return f"{paths.PRESERVED} was preserved by a purge, and is not restored yet" if _is_pending(host) else None

    def apply(self, host: Host) -> None:
        """Restore each file, except those that the admin has given again since."""
        for name in DIRECTORIES:
            if host.exists(f"{paths.PRESERVED}/{name}"):
                _restore(host, f"{paths.PRESERVED}/{name}", f"{paths.CONFIGURATION}/{name}")
        host.run("sync")
        become(host, host.read(PRESERVED_INSTANCE) or "")


def read(host: Host, name: str) -> str | None:
    """Return the text of a file that the next converge restores, or None."""
    return host.read(f"{paths.PRESERVED}/{name}") if _is_pending(host) else None


def _is_pending(host: Host) -> bool:
    return host.exists(PRESERVED_INSTANCE) and not host.exists(INSTANCE)


def _restore(host: Host, preserved: str, place: str) -> None:
    """Make a whole copy of a directory next to its place, and move into it what is missing there."""
    copy = f"{place}.kept"
    host.remove_tree(copy)
    host.make_directory(place.rsplit("/", 1)[0], Access(0o755))
    host.run("cp", "--archive", preserved, copy)
    host.make_directory(place, host.access(copy) or secrets.DIRECTORY_ACCESS)
    for name in host.names(copy):
        if not host.exists(f"{place}/{name}"):
            host.rename(f"{copy}/{name}", f"{place}/{name}")
    host.remove_tree(copy)
