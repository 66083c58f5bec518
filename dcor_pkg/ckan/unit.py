"""The systemd unit in which CKAN runs: an instance of supervisor of its own, confined to what CKAN needs.

CKAN parses the files of strangers, so it is expected to be taken over one day: debian/units/dcor-ckan.service says
what it is kept from, docs/decisions/confinement.md why.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import temporary_directories
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine.paths import SYSTEMD_UNITS
from dcor_pkg.services.engines import ENGINES

UNIT = "dcor-ckan.service"
RESTART = f"restart {UNIT}"
#: the unit's file, and the configuration of its supervisor; the package brings both
FILE = f"/usr/lib/systemd/system/{UNIT}"
SUPERVISORD = "/usr/share/dcor-server/files/supervisord.conf"
#: the directory of the sockets of supervisor and the web servers; it exists while the unit runs
RUNTIME = "/run/dcor-ckan"
#: directories that the unit does not see, or has ones of its own in the place of (systemd.exec(5))
HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp", "/dev", "/var/backups")  # noqa: S108 (not used)


def drop_in(settings: Settings) -> ManagedFile:
    """Return what the unit has to know of this machine; a change restarts it, jobs first."""
    values = {
        "units": tuple(engine.unit for engine in ENGINES),
        "data": settings.data,
        "scratch": settings.scratch,
        "temporary": temporary_directories.of_uploads(settings),
        "reads": (FILE, SUPERVISORD),
    }
    return ManagedFile(
        f"{SYSTEMD_UNITS}/{UNIT}.d/dcor-server.conf", "ckan/templates/unit.conf", values, then=(RESTART,)
    )
