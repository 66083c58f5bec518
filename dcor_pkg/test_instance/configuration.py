"""The configuration of CKAN in a test instance: production's, with everything of its own that is data or a secret.

The administrator's additions are left out: they may name what is production's.
"""

from __future__ import annotations

from dataclasses import replace

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import additions
from dcor_pkg.ckan.additions import Option
from dcor_pkg.ckan.ckan_ini import ACCESS, ckan_ini
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import templates
from dcor_pkg.machine.host import Host
from dcor_pkg.services.solr import local as solr
from dcor_pkg.test_instance import database, services
from dcor_pkg.test_instance.credentials import Credentials
from dcor_pkg.test_instance.places import FILES, INI

#: the first line says whose the file is
HEADER = "# Managed by dcor-server: CKAN's configuration in the test instance, which goes with it.\n"


def require_possible(host: Host) -> None:
    """Raise DcorError where the file is somebody else's."""
    text = host.read(INI)
    if text is not None and not text.startswith(HEADER):
        raise DcorError(f"{INI} exists, and is not of a test instance of dcor-server.", "Move it away.")


def write(host: Host, settings: Settings, credentials: Credentials) -> None:
    """Write the file; CKAN's user reads it, and nobody else."""
    host.write(INI, text(host, settings, credentials), ACCESS)


def remove(host: Host) -> None:
    """Remove the file, if it is of a test instance."""
    if (host.read(INI) or "").startswith(HEADER):
        host.remove(INI)


def text(host: Host, settings: Settings, credentials: Credentials) -> str:
    """Return the text. No secret of production is ever read: words stand for them, and are replaced here."""
    wanted = ckan_ini(replace(settings, mail_relay="", about="ckan", contact="", imprint="", privacy=""))
    rendered = templates.render(wanted.template, wanted.values, host, hidden=True)
    own = options(credentials).items()
    merged = additions.merged(rendered, [Option(additions.MAIN, name, value, INI, 0) for name, value in own])
    lines = [line for line in merged.splitlines() if not line.startswith("#")]
    return HEADER + "\n".join(lines) + "\n"


def options(credentials: Credentials) -> dict[str, str]:
    """Return the options that differ from production's."""
    of = credentials.revealed()
    return {
        "ckan.site_id": "test",
        "SECRET_KEY": of["session"],
        "WTF_CSRF_SECRET_KEY": of["csrf"],
        "sqlalchemy.url": database.url(of["database"]),
        "solr_url": services.SOLR_ADDRESS,
        "solr_user": solr.USER,
        "solr_password": of["solr"],
        "ckan.redis.url": f"unix://{services.REDIS_SOCKET}?db=0",
        "dcor_object_store.endpoint_url": services.STORE_ORIGIN,
        "dcor_object_store.access_key_id": of["store_key"],
        "dcor_object_store.secret_access_key": of["store"],
        "ckan.storage_path": f"{FILES}/storage",
        "ckan.webassets.path": f"{FILES}/webassets",
        "ckanext.dcor_depot.tmp_dir": f"{FILES}/depot",
        "ckanext.dc_serve.tmp_dir": f"{FILES}/serve",
    }
