"""What a purge has put by: secrets and certificate, without which kept data could not be read, and the admin's additions.

The settings were put by as well: `settings_file.save` takes them up, under the answers that were given since.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg import ckan_additions, secrets
from dcor_pkg.host import Access, Host
from dcor_pkg.steps import nginx_additions

KEPT = "/var/backups/dcor-server/kept"
#: where they belong, and the name under which they are kept
PLACES = {
    secrets.FOLDER: "secrets",
    "/etc/dcor-server/tls": "tls",
    "/var/lib/dcor-server/instance": "instance",
    ckan_additions.FOLDER: "ckan.d",
    nginx_additions.FOLDER: "nginx.d",
}


@dataclass(frozen=True)
class KeptSettings:
    """Bring back what an earlier installation has left, before anything is made anew."""

    name: str = "kept settings"

    def check(self, host: Host) -> str | None:
        missing = [place for place, kept in PLACES.items() if host.exists(f"{KEPT}/{kept}") and not host.exists(place)]
        return f"{missing[0]} was kept by a purge, and is not back" if missing else None

    def apply(self, host: Host) -> None:
        for place, kept in PLACES.items():
            if host.exists(f"{KEPT}/{kept}") and not host.exists(place):
                host.make_folder(place.rsplit("/", 1)[0], Access(0o755))
                host.run("cp", "--archive", f"{KEPT}/{kept}", place)
