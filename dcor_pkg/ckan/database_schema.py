"""The step that migrates the tables of CKAN and its plugins to the revisions of the release that is about to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dcor_pkg.ckan import ckan_ini, release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

#: the table in which CKAN records the revision of a plugin (env.py, as `ckan generate migration` writes it)
TABLE = "{plugin}_alembic_version"
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
        text = host.read(f"{release.directory(self.release)}/{release.SCHEMA}")
        if text is None:
            return f"its revision is unknown, because the release {self.release} does not exist yet"
        wanted, *plugins = text.splitlines() or [""]
        try:
            found = psql.query(host, self.database, "SELECT version_num FROM alembic_version")
            outdated = self._outdated_plugin(host, dict(line.split() for line in plugins))
        except CommandFailed as error:
            return f"its revision cannot be read: {psql.message(error.hint)}"
        return outdated if found == wanted else f"is at revision {found}, not {wanted}"

    def apply(self, host: Host) -> None:
        release.run(host, self.release, "python", "-m", "dcor_runtime.database", "upgrade")

    def _outdated_plugin(self, host: Host, newest: Mapping[str, str]) -> str | None:
        """Return the first enabled plugin whose tables have another revision than the newest, by its name."""
        enabled = [plugin for plugin in ckan_ini.enabled_plugins(host) if plugin in newest]
        found = self._revisions(host, enabled) if enabled else {}
        for plugin in enabled:
            if (revision := found.get(plugin, "none")) != newest[plugin]:
                return f"is at revision {revision} of the plugin {plugin}, not {newest[plugin]}"
        return None

    def _revisions(self, host: Host, plugins: list[str]) -> dict[str, str]:
        """Return the revisions of those plugins whose migrations were ever run."""
        tables = {TABLE.format(plugin=plugin): plugin for plugin in plugins}
        names = ", ".join(f"'{table}'" for table in tables)
        lines = psql.query(host, self.database, REVISIONS.format(tables=names)).splitlines()
        return {tables[table]: revision for table, revision in (line.split("|") for line in lines)}
