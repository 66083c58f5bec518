"""The order of texts: an index on texts has that of the system's libraries, which may be another with a new Debian.

Our own database has the locale C.UTF-8, whose order never changes and which has no version. One that was taken up, or
restored, may have another locale.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

#: Both versions where they differ (PostgreSQL, "ALTER DATABASE"). The column exists since PostgreSQL 15, hence \gexec.
VERSIONS = r"""
SELECT $$SELECT datcollversion || ', and that of the system is ' || pg_database_collation_actual_version(oid)
FROM pg_database WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid)$$
WHERE current_setting('server_version_num')::int >= 150000 \gexec
"""
#: for all indexes of a large database
TIMEOUT_SECONDS = 4 * 3600.0


@dataclass(frozen=True)
class Collation:
    """Indexes of the database in the order that texts have on this system."""

    database: Endpoint
    name: str = "order of texts in the database"

    def check(self, host: Host) -> str | None:
        try:
            found = psql.query(host, self.database, VERSIONS)
        except CommandFailed as error:
            return f"cannot be asked: {psql.message(error.hint)}"
        return f"its indexes are of version {found}" if found else None

    def apply(self, host: Host) -> None:
        """Make the indexes anew; each table waits while its own are made."""
        name = self.database.name
        psql.as_superuser(host, f"REINDEX DATABASE {name}", name, TIMEOUT_SECONDS)
        psql.as_superuser(host, f"ALTER DATABASE {name} REFRESH COLLATION VERSION")
