"""What a purge has put by: secrets and certificate, without which kept data could not be read, and the admin's additions.

The settings were put by as well: `settings_file.save` takes them up, under the answers that were given since.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.data_directory import INSTANCE
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host

#: whose all of it is; it comes back last, so until then nothing has come back for good
PRESERVED_INSTANCE = f"{paths.PRESERVED}/instance"
#: the directories of the configuration that a purge preserves (debian/dcor-server.postrm)
DIRECTORIES = ("secrets", "tls", "ckan.d", "nginx.d")


@dataclass(frozen=True)
class PreservedSettings:
    """Bring back what an earlier installation has left, before anything is made anew."""

    name: str = "preserved settings"

    def check(self, host: Host) -> str | None:
        return f"{paths.PRESERVED} was kept by a purge, and is not back" if _is_due(host) else None

    def apply(self, host: Host) -> None:
        """Bring back each file but those that were given anew since."""
        for name in DIRECTORIES:
            if host.exists(f"{paths.PRESERVED}/{name}"):
                _restore(host, f"{paths.PRESERVED}/{name}", f"{paths.CONFIGURATION}/{name}")
        host.run("sync")
        host.write(INSTANCE, host.read(PRESERVED_INSTANCE) or "", Access(0o644))


def read(host: Host, name: str) -> str | None:
    """Return the text of a file that is about to come back, or None."""
    return host.read(f"{paths.PRESERVED}/{name}") if _is_due(host) else None


def _is_due(host: Host) -> bool:
    return host.exists(PRESERVED_INSTANCE) and not host.exists(INSTANCE)


def _restore(host: Host, kept: str, place: str) -> None:
    """Copy a directory beside its place, whole, and move into it what is not there."""
    beside = f"{place}.kept"
    host.remove_tree(beside)
    host.make_directory(place.rsplit("/", 1)[0], Access(0o755))
    host.run("cp", "--archive", kept, beside)
    host.make_directory(place, host.access(beside) or secrets.DIRECTORY_ACCESS)
    for name in host.names(beside):
        if not host.exists(f"{place}/{name}"):
            host.rename(f"{beside}/{name}", f"{place}/{name}")
    host.remove_tree(beside)
