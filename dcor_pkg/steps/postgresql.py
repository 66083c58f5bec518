"""CKAN's role and database in the PostgreSQL of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg import secrets
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.host import Host

ROLE = DATABASE = "ckan_default"
PASSWORD = "database-password"
#: for psql(1), so that the password is in no argument and no environment (libpq, "The Password File")
PGPASS = f"{secrets.FOLDER}/pgpass"


@dataclass(frozen=True)
class PostgresqlDatabase:
    """A role that can log in with its password, and its database in UTF8, whatever the locale of the cluster."""

    name: str = "postgresql database"

    def check(self, host: Host) -> str | None:
        if host.read(secrets.path(PASSWORD)) is None or host.read(PGPASS) != _pgpass(host):
            return "its password is not at hand"
        try:
            encoding = query(host, "SHOW server_encoding")
        except CommandFailed as error:
            return f"{ROLE} cannot log in to {DATABASE}: {error.hint.splitlines()[-1]}"
        return None if encoding == "UTF8" else f"its encoding is {encoding}, not UTF8"

    def apply(self, host: Host) -> None:
        """Make what is missing; an existing database is kept as it is, and only the password is set."""
        host.write(PGPASS, _pgpass(host), secrets.ACCESS)
        password = secrets.read(host, PASSWORD)
        exists = _as_postgres(host, f"SELECT count(*) FROM pg_roles WHERE rolname = '{ROLE}'") == "1"
        # log_statement is off for it: PostgreSQL would write the password to its log.
        _as_postgres(
            host,
            f"SET log_statement = none; {'ALTER' if exists else 'CREATE'} ROLE {ROLE} LOGIN PASSWORD '{password}'",
        )
        if _as_postgres(host, f"SELECT count(*) FROM pg_database WHERE datname = '{DATABASE}'") == "0":
            _as_postgres(
                host,
                f"CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'",
            )


def query(host: Host, sql: str) -> str:
    """Return what CKAN's role gets as an answer. Raises CommandFailed."""
    return host.run(
        *("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"),
        *("--host=127.0.0.1", f"--username={ROLE}", f"--dbname={DATABASE}", "--no-password"),
        text=sql,
        environment={"PGPASSFILE": PGPASS, "PGCONNECT_TIMEOUT": "10"},
    ).strip()


def is_ready(host: Host) -> bool:
    """Tell whether PostgreSQL takes connections."""
    return host.answers("pg_isready", "--quiet", "--host=127.0.0.1")


def _pgpass(host: Host) -> str:
    return f"127.0.0.1:*:{DATABASE}:{ROLE}:{secrets.read(host, PASSWORD)}\n"


def _as_postgres(host: Host, sql: str) -> str:
    try:
        return host.run(
            *("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1"),
            *("--dbname=postgres", "--no-password"),
            text=sql,
            user="postgres",
        ).strip()
    except CommandFailed as error:
        raise DcorError("PostgreSQL does not do what is asked", error.hint or "systemctl status postgresql") from None
