"""CKAN's tables, as the release that is about to run wants them."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg import release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.host import Host
from dcor_pkg.steps import postgresql


@dataclass(frozen=True)
class DatabaseSchema:
    """What `ckan db init` and the plugins' migrations do, where they have something to do."""

    release: str
    name: str = "database schema"

    def check(self, host: Host) -> str | None:
        wanted = host.read(f"{release.folder(self.release)}/{release.SCHEMA}")
        if wanted is None:
            return "its release is not made yet"
        try:
            found = postgresql.query(host, "SELECT version_num FROM alembic_version")
        except CommandFailed:
            return "there are no tables"
        return None if found == wanted.strip() else f"is at revision {found}, not {wanted.strip()}"

    def apply(self, host: Host) -> None:
        release.run(host, self.release, "python", "-m", "dcor_runtime.database", "upgrade")
