"""The version of dcor-server whose plan was last carried out as a whole.

From then on the database, the settings and the files of this server are as that version has them, and an older one does
not know them: debian/dcor-server.preinst refuses it. Before that, as after a release that failed, it may come back; and
later as long as a release that it had in service is there, and its tables are those of the present one.
"""

from __future__ import annotations

from collections.abc import Collection

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import STATE

PATH = f"{STATE}/version"
#: a line `VERSION RELEASE` for each release that is there, the newest first
RELEASES = f"{STATE}/versions"
PACKAGE = "dcor-server"


def record(host: Host, release: str, kept: Collection[str]) -> None:
    """Record that the installed version serves, with this release, and forget releases that are not kept any more."""
    version = host.run("dpkg-query", "--show", "--showformat=${Version}\n", PACKAGE)
    own = f"{version.strip()} {release}"
    others = [it for it in (host.read(RELEASES) or "").splitlines() if it != own and it.partition(" ")[2] in kept]
    # First what lets an older version come back, then what refuses it.
    host.write(RELEASES, "".join(f"{it}\n" for it in (own, *others)), Access(0o644))
    host.write(PATH, version, Access(0o644))
