"""The release that verbs run CKAN's commands in."""

from __future__ import annotations

from dcor_pkg.ckan import ckan_ini, release
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.services import endpoints


def require(host: Host) -> str:
    """Return the id of the active release. Raises DcorError when there is none yet."""
    active = release.active(host)
    if active is None:
        raise DcorError(
            _("There is no active release yet, so CKAN's commands are not available."),
            _("dcor-server converge makes one; dcor-server status shows why the last converge failed."),
        )
    return active


def require_for_data(host: Host) -> str:
    """Return the id of the active release, for what removes data or changes them by CKAN's database.

    Raises DcorError also where ckan.ini names another database than the settings.
    """
    active = require(host)
    ckan_ini.require_database(host, endpoints.of(settings_file.load(host)).database)
    return active
