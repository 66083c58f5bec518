"""CKAN's role and database in the PostgreSQL of this machine, and the password file for whichever database it is."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql


@dataclass(frozen=True)
class DatabaseLogin:
    """What psql logs in with, be the database here or elsewhere."""

    database: Endpoint
    name: str = "database login"

    def check(self, host: Host) -> str | None:
        if host.read(psql.PASSFILE) != self._line(host):
            return "is not that of the settings"
        return host.access_drift(psql.PASSFILE, secrets.ACCESS)

    def apply(self, host: Host) -> None:
        host.write(psql.PASSFILE, self._line(host), secrets.ACCESS)

    def _line(self, host: Host) -> str:
        return psql.passfile_line(self.database, secrets.read(host, self.database.secret))


@dataclass(frozen=True)
class PostgresqlDatabase:
    """A role that can log in with its password, and its database in UTF8, whatever the locale of the cluster."""

    database: Endpoint
    name: str = "postgresql database"

    def check(self, host: Host) -> str | None:
        try:
            encoding = psql.query(host, self.database, "SHOW server_encoding")
        except CommandFailed as error:
            return f"{self.database.user} cannot log in to {self.database.name}: {psql.complaint(error.hint)}"
        return None if encoding == "UTF8" else f"its encoding is {encoding}, not UTF8"

    def apply(self, host: Host) -> None:
        """Make what is missing; an existing database is kept as it is, and only the password is set."""
        role, name = self.database.user, self.database.name
        password = secrets.read(host, self.database.secret).reveal()
        exists = as_postgres(host, f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'") == "1"
        # log_statement is off for it: PostgreSQL would write the password to its log.
        as_postgres(
            host,
            f"SET log_statement = none; {'ALTER' if exists else 'CREATE'} ROLE {role} LOGIN PASSWORD '{password}'",
        )
        if as_postgres(host, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "0":
            as_postgres(
                host,
                f"CREATE DATABASE {name} OWNER {role} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'",
            )


def is_ready(host: Host) -> bool:
    """Tell whether the PostgreSQL of this machine takes connections."""
    return host.succeeds("pg_isready", "--quiet", "--host=127.0.0.1")


def as_postgres(host: Host, sql: str) -> str:
    """Return what the superuser of this machine's PostgreSQL gets as an answer. Raises DcorError."""
    try:
        return host.run(*psql.QUIETLY, "--dbname=postgres", text=sql, user="postgres").strip()
    except CommandFailed as error:
        raise DcorError("PostgreSQL does not do what is asked", error.hint or "systemctl status postgresql") from None
