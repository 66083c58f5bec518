"""The step that makes the tables of CKAN and its plugins, and whether they are at the revisions of a release.

Where a server serves with a local database, that is migrated by the step "active release" (migration.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dcor_pkg.ckan import ckan_ini, programs, release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

#: the table in which CKAN records the revision of a plugin (env.py, as `ckan generate migration` writes it)
TABLE = "{plugin}_alembic_version"
CORE_REVISION = "SELECT version_num FROM alembic_version"
#: where a server serves, and its database is external
IN_PLACE = "; it is migrated in place, because CKAN's role cannot exchange databases there"
#: Gives a line `TABLE|REVISION` for each of these tables that exists. The first query writes the others, which psql's
#: \gexec runs: a query that names a table which does not exist would be an error.
REVISIONS = r"""SELECT format('SELECT %L, version_num FROM %I', relname, relname) FROM pg_class
WHERE relname IN ({tables}) AND pg_table_is_visible(oid) \gexec
"""


@dataclass(frozen=True)
class DatabaseSchema:
    """The tables of CKAN and its plugins. `ckan db init` and the plugins' migrations run only when they are needed."""

    release: str
    database: Endpoint
    name: str = "database schema"

    def check(self, host: Host) -> str | None:
        ckan_ini.require_database(host, self.database)
        drift = outdated(host, self.release, self.database)
        if drift is None or is_migrated_by_switch(host, self.database):
            return None
        return f"{drift}{IN_PLACE}" if _is_serving(host) else drift

    def apply(self, host: Host) -> None:
        release.run(host, self.release, "python", "-m", "dcor_runtime.database", "upgrade")


def is_migrated_by_switch(host: Host, database: Endpoint) -> bool:
    """Return whether a server serves with a local database that has tables."""
    return database.local and _is_serving(host) and _revision(host, database) is not None


def outdated(host: Host, name: str, database: Endpoint) -> str | None:
    """Return how the tables of a database differ from the revisions of a release, or None."""
    text = host.read(f"{release.directory(name)}/{release.SCHEMA}")
    if text is None:
        return f"its revision is unknown, because the release {name} does not exist yet"
    wanted, *plugins = text.splitlines() or [""]
    try:
        found = psql.query(host, database, CORE_REVISION)
        plugin = _outdated_plugin(host, database, dict(line.split() for line in plugins))
    except CommandFailed as error:
        return f"its revision cannot be read: {psql.message(error.hint)}"
    return plugin if found == wanted else f"is at revision {found}, not {wanted}"


def _is_serving(host: Host) -> bool:
    return programs.serving(host) is not None


def _revision(host: Host, database: Endpoint) -> str | None:
    """Return the revision of CKAN's tables, or None where it cannot be read."""
    try:
        return psql.query(host, database, CORE_REVISION)
    except CommandFailed:
        return None


def _outdated_plugin(host: Host, database: Endpoint, newest: Mapping[str, str]) -> str | None:
    """Return the first enabled plugin whose tables have another revision than the newest, by its name."""
    enabled = [plugin for plugin in ckan_ini.enabled_plugins(host) if plugin in newest]
    found = _revisions(host, database, enabled) if enabled else {}
    for plugin in enabled:
        if (revision := found.get(plugin, "none")) != newest[plugin]:
            return f"is at revision {revision} of the plugin {plugin}, not {newest[plugin]}"
    return None


def _revisions(host: Host, database: Endpoint, plugins: list[str]) -> dict[str, str]:
    """Return the revisions of those plugins whose migrations were ever run."""
    tables = {TABLE.format(plugin=plugin): plugin for plugin in plugins}
    names = ", ".join(f"'{table}'" for table in tables)
    lines = psql.query(host, database, REVISIONS.format(tables=names)).splitlines()
    return {tables[table]: revision for table, revision in (line.split("|") for line in lines)}
