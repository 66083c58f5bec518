"""Ask PostgreSQL as CKAN's role, by psql(1): the password is in no argument and no environment, but in a file."""

from __future__ import annotations

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint, postgresql_tls

#: libpq's password file (libpq, "The Password File") for the database that the settings name
PASSFILE = f"{secrets.DIRECTORY}/pgpass"
#: without the admin's own ~/.psqlrc, values alone, and the first error is the end
QUIETLY = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1", "--no-password")
#: in what psql says of an error: what it was comes behind these, and who says so before
SAYS = ("FATAL:", "ERROR:")
BEFORE = (" failed: ", *SAYS)


def query(host: Host, database: Endpoint, sql: str, passfile: str = PASSFILE) -> str:
    """Return what CKAN's role gets as an answer. Raises CommandFailed."""
    tls = {f"PG{name.upper()}": value for name, value in postgresql_tls(database).items()}
    return host.run(
        *QUIETLY,
        *(f"--host={database.host}", f"--port={database.port}"),
        *(f"--username={database.user}", f"--dbname={database.name}"),
        text=sql,
        environment={"PGPASSFILE": passfile, "PGCONNECT_TIMEOUT": "10", **tls},
    ).strip()


def fault(host: Host, database: Endpoint) -> str | None:
    """Return why the database does not answer CKAN's role, or None."""
    try:
        query(host, database, "SELECT 1")
    except CommandFailed as error:
        return complaint(error.hint)
    return None


def passfile_line(database: Endpoint, password: Secret) -> str:
    r"""Return the line of a password file, in which \ and : are quoted."""
    fields = (database.host, str(database.port), database.name, database.user, password.reveal())
    return ":".join(field.replace("\\", "\\\\").replace(":", "\\:") for field in fields) + "\n"


def complaint(words: str) -> str:
    """Return the essence of what psql says when something fails."""
    lines = [line for line in words.splitlines() if any(say in line for say in SAYS)] or words.strip().splitlines()[-1:]
    line = lines[0] if lines else "it does not say why"
    for say in BEFORE:
        line = line.partition(say)[2] or line
    return line.strip()
