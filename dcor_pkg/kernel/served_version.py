"""The version of dcor-server whose plan was last carried out as a whole.

From then on the database, the settings and the files of this server are as that version has them, and an older one does
not know them: debian/dcor-server.preinst refuses it. Before that, as after a release that failed, it may come back.
"""

from __future__ import annotations

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import STATE

PATH = f"{STATE}/version"
PACKAGE = "dcor-server"


def record(host: Host) -> None:
    """Record that the installed version serves."""
    host.write(PATH, host.run("dpkg-query", "--show", "--showformat=${Version}\n", PACKAGE), Access(0o644))
