"""The step that migrates CKAN's tables to the revision of the release that is about to run."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.ckan import ckan_ini, release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql


@dataclass(frozen=True)
class DatabaseSchema:
    """The tables of CKAN and its plugins. `ckan db init` and the plugins' migrations run only when they are needed."""

    release: str
    database: Endpoint
    name: str = "database schema"

    def check(self, host: Host) -> str | None:
        ckan_ini.require_database(host, self.database)
        wanted = host.read(f"{release.directory(self.release)}/{release.SCHEMA}")
        if wanted is None:
            return f"its revision is unknown, because the release {self.release} does not exist yet"
        try:
            found = psql.query(host, self.database, "SELECT version_num FROM alembic_version")
        except CommandFailed as error:
            return f"its revision cannot be read: {psql.message(error.hint)}"
        return None if found == wanted.strip() else f"is at revision {found}, not {wanted.strip()}"

    def apply(self, host: Host) -> None:
        release.run(host, self.release, "python", "-m", "dcor_runtime.database", "upgrade")
