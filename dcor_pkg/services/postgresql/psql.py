"""Query PostgreSQL by psql(1): a local one as CKAN's user, an external one with a password.

The password is in no argument and no environment, but in a file.
"""

from __future__ import annotations

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER
from dcor_pkg.services.endpoint import Endpoint, postgresql_options
from dcor_pkg.services.postgresql import programs

#: the port of the local cluster, and the directory of its unix socket, which belongs to PostgreSQL
PORT, SOCKETS = 5432, "/var/run/postgresql"
#: the socket itself (PostgreSQL, "Connections and Authentication", unix_socket_directories)
SOCKET = f"{SOCKETS}/.s.PGSQL.{PORT}"
#: libpq's password file (libpq, "The Password File") for the database that the settings name
PASSFILE = f"{secrets.DIRECTORY}/pgpass"
#: without the admin's own ~/.psqlrc; values alone; the first error ends it
OPTIONS = ("--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1", "--no-password")
#: the severities that begin an error's message, and what precedes it in psql's output
SEVERITIES = ("FATAL:", "ERROR:")
PREFIXES = (" failed: ", *SEVERITIES)


def query(host: Host, database: Endpoint, sql: str, passfile: str = PASSFILE) -> str:
    """Return what CKAN's role gets as the result of SQL. Raises CommandFailed."""
    place = f"--dbname={connection(database, passfile)}"
    return _run(host, place, sql, user=CKAN_USER if database.sockets else None)


def connection(database: Endpoint, passfile: str = PASSFILE) -> str:
    """Return how CKAN's role connects (libpq, "Keyword/Value Connection Strings"); no value has a space or a quote."""
    place = {"host": database.host, "port": str(database.port), **postgresql_options(database)}
    parameters = {"dbname": database.name, "user": database.user, "connect_timeout": "10", **place}
    if not database.sockets:
        parameters["passfile"] = passfile
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def as_superuser(host: Host, sql: str, database: str = "postgres", timeout: float = 600, port: int = PORT) -> str:
    """Return what the superuser of this machine's PostgreSQL gets as the result of SQL. Raises DcorError.

    `timeout` is in seconds; `port` is that of the cluster.
    """
    place = f"--dbname=host={SOCKETS} port={port} dbname={database}"
    try:
        return _run(host, place, sql, user="postgres", timeout=timeout)
    except CommandFailed as error:
        raise DcorError(
            f"PostgreSQL on this machine failed as its superuser: {message(error.hint)}.",
            "journalctl --unit='postgresql@*' shows its log.",
        ) from None


def _run(host: Host, place: str, sql: str, user: str | None, timeout: float = 600) -> str:
    return host.run(programs.path(host, "psql"), *OPTIONS, place, text=sql, user=user, timeout=timeout).strip()


def problem(host: Host, database: Endpoint) -> str | None:
    """Return why CKAN's role cannot query the database, or None."""
    try:
        query(host, database, "SELECT 1")
    except CommandFailed as error:
        return message(error.hint)
    return None


def passfile_line(database: Endpoint, password: Secret) -> str:
    r"""Return the line of a password file, in which \ and : are quoted."""
    fields = (database.host, str(database.port), database.name, database.user, password.reveal())
    return ":".join(field.replace("\\", "\\\\").replace(":", "\\:") for field in fields) + "\n"


def message(output: str) -> str:
    """Return the message of an error in psql's output, without the program, address and severity before it."""
    lines = [line for line in output.splitlines() if any(severity in line for severity in SEVERITIES)]
    lines = lines or output.strip().splitlines()[-1:]
    line = lines[0] if lines else "psql gave no reason"
    for prefix in PREFIXES:
        line = line.partition(prefix)[2] or line
    return line.strip()
