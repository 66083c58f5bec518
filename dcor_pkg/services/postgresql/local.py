"""CKAN's role and database in the PostgreSQL of this machine, and the password file for a local or external one."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import cluster, psql
from dcor_pkg.services.postgresql.cluster import ClusterEnabled

#: Debian's unit for all clusters
UNIT = "postgresql.service"
#: the name of the secret that is the password of CKAN's role
PASSWORD = "database-password"  # noqa: S105 (a name)


def endpoint(_: Settings) -> Endpoint:
    """Return where the local database is."""
    return Endpoint(
        "database",
        "postgresql",
        "127.0.0.1",
        cluster.PORT,
        f"/{cluster.DATABASE}",
        cluster.DATABASE,
        PASSWORD,
        local=True,
    )


def steps(settings: Settings) -> tuple[Step, ...]:
    """Return the steps that make the role and the database."""
    database = endpoint(settings)
    return (RandomSecret(PASSWORD), ClusterEnabled(), DatabaseLogin(database), PostgresqlDatabase(database))


def external_steps(database: Endpoint) -> tuple[Step, ...]:
    """Return the steps that an external database needs on this machine."""
    return (DatabaseLogin(database),)


def require_running(host: Host) -> None:
    """Raise DcorError where PostgreSQL is stopped, unless we have stopped it and can start it again."""
    if not _is_ready(host) and not cluster.is_stopped_by_us(host):
        raise DcorError(
            f"PostgreSQL does not accept connections on 127.0.0.1, port {cluster.PORT}.",
            hint="pg_lsclusters shows the state of each cluster; pg_ctlcluster VERSION NAME start starts one.",
        )


@dataclass(frozen=True)
class DatabaseLogin:
    """The password file with which psql logs in to the database, local or external."""

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
            return f"{self.database.user} cannot log in to {self.database.name}: {psql.message(error.hint)}"
        return None if encoding == "UTF8" else f"its encoding is {encoding}, not UTF8"

    def apply(self, host: Host) -> None:
        """Create what is missing; an existing database is kept as it is, and only the password is set.

        The SQL is made of names of ours, and of a password of letters and digits (RandomSecret).
        """
        role, name = self.database.user, self.database.name
        password = secrets.read(host, self.database.secret).reveal()
        exists = psql.as_superuser(host, f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'") == "1"  # noqa: S608
        # log_statement is off for it: PostgreSQL would write the password to its log.
        psql.as_superuser(
            host,
            f"SET log_statement = none; {'ALTER' if exists else 'CREATE'} ROLE {role} LOGIN PASSWORD '{password}'",
        )
        if psql.as_superuser(host, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "0":  # noqa: S608
            psql.as_superuser(
                host,
                f"CREATE DATABASE {name} OWNER {role} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'",
            )


def _is_ready(host: Host) -> bool:
    return host.succeeds("pg_isready", "--quiet", "--host=127.0.0.1")
