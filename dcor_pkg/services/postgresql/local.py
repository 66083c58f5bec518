"""CKAN's database in the PostgreSQL of this machine, and the password file for an external one.

CKAN connects to the unix socket, and PostgreSQL is told by the system which user connects ("peer", as Debian sets it
up). So there is no password that could be asked for by another user of this machine who listens on PostgreSQL's port.
The role that logs in has the name of CKAN's user. It works as the role that owns the database, in this one only: other
programs with the same user may have databases of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import instance, secrets
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import access, cluster, ownership, psql
from dcor_pkg.services.postgresql.cluster import ClusterRunning
from dcor_pkg.services.postgresql.collation import Collation

#: for the order of starts
UNIT = cluster.GROUP
ROLE_ENCODING_AND_MARK = (
    "SELECT current_user || ' ' || current_setting('server_encoding') || ' ' || "
    "coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = current_database()"
)
#: for the removal plan: the database, its roles, and where they are
DATA = (f"database {cluster.DATABASE} {cluster.DATABASE},{CKAN_USER} {psql.SOCKETS} {psql.PORT}",)


def endpoint(_: Settings) -> Endpoint:
    """Return where the local database is."""
    return Endpoint(
        *("database", "postgresql", "127.0.0.1", psql.PORT, f"/{cluster.DATABASE}", CKAN_USER, ""),
        local=True,
        sockets=psql.SOCKETS,
    )


def steps(settings: Settings) -> tuple[Step, ...]:
    """Return the steps that make the roles and the database."""
    database = endpoint(settings)
    return (ClusterRunning(), PostgresqlDatabase(database), Collation(database))


def external_steps(database: Endpoint) -> tuple[Step, ...]:
    """Return the steps that an external database needs on this machine."""
    return (DatabaseLogin(database),)


def running_unit(host: Host) -> str:
    """Return the unit of our cluster."""
    return cluster.required(host).unit


def was_used(host: Host) -> bool:
    """Return whether this server has recorded that it uses the local database."""
    return ownership.is_used(host, endpoint(Settings()))


def require_usable(host: Host) -> None:
    """Raise DcorError where PostgreSQL does not run, and an administrator has said that it does not start by itself.

    Raise InvalidAnswer where it does not let us in, and where the database in it is another program's.
    """
    ours = cluster.required(host)
    if cluster.is_ready(host):
        access.require(host, endpoint(Settings()), ours)
        ownership.require(host, endpoint(Settings()))
    elif ours.is_online:
        access.require_socket(host, ours)
    elif not (cluster.is_stopped_by_us(host, ours) or cluster.starts_by_itself(host, ours)):
        raise DcorError(
            f"PostgreSQL does not accept connections on its socket in {psql.SOCKETS}, port {psql.PORT}, and "
            f"{ours.start} says that it does not start by itself.",
            hint=f"Write auto into that file, then: systemctl start {ours.unit}; pg_lsclusters lists all clusters.",
        )


@dataclass(frozen=True)
class DatabaseLogin:
    """The password file with which psql logs in to an external database."""

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
    """The roles, and the database in UTF8, whatever the locale of the cluster, with the mark of this instance."""

    database: Endpoint
    name: str = "postgresql database"

    def check(self, host: Host) -> str | None:
        try:
            role, encoding, *mark = psql.query(host, self.database, ROLE_ENCODING_AND_MARK).split(" ", 2)
        except CommandFailed as error:
            return f"{self.database.user} cannot log in to {self.database.name}: {psql.message(error.hint)}"
        if role != self._owner:
            return f"{self.database.user} works in it as {role}, not as {self._owner}"
        if encoding != "UTF8":
            return f"its encoding is {encoding}, not UTF8"
        return None if mark == [instance.mark(host)] else "does not have the mark of this server"

    def apply(self, host: Host) -> None:
        """Create what is missing; an existing database is kept as it is. The SQL is made of names of ours."""
        owner, user, name = self._owner, self.database.user, self.database.name
        access.require(host, self.database, cluster.required(host))
        ownership.require(host, self.database)
        ownership.prepare(host, self.database)
        found = ownership.marks(host, self.database)
        for role, key, options in ((owner, ownership.OWNER, ""), (user, ownership.LOGIN, " LOGIN")):
            if key not in found:
                ownership.create_role(host, role, options)
        if ownership.DATABASE not in found:
            psql.as_superuser(
                host,
                f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'",
            )
        psql.as_superuser(host, f'ALTER ROLE "{user}" LOGIN')
        psql.as_superuser(host, f'GRANT {owner} TO "{user}"')
        psql.as_superuser(host, f'ALTER ROLE "{user}" IN DATABASE {name} SET role = {owner}')
        ownership.take(host, self.database)

    @property
    def _owner(self) -> str:
        return self.database.name
