"""CKAN's tables, as the release that is about to run wants them."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg import psql, release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.host import Host
from dcor_pkg.services import Endpoint


@dataclass(frozen=True)
class DatabaseSchema:
    """What `ckan db init` and the plugins' migrations do, where they have something to do."""

    release: str
    database: Endpoint
    name: str = "database schema"

    def check(self, host: Host) -> str | None:
        wanted = host.read(f"{release.folder(self.release)}/{release.SCHEMA}")
        if wanted is None:
            return "its release is not made yet"
        try:
            found = psql.query(host, self.database, "SELECT version_num FROM alembic_version")
        except CommandFailed as error:
            return f"cannot be told: {psql.complaint(error.hint)}"
        return None if found == wanted.strip() else f"is at revision {found}, not {wanted.strip()}"

    def apply(self, host: Host) -> None:
        release.run(host, self.release, "python", "-m", "dcor_runtime.database", "upgrade")
