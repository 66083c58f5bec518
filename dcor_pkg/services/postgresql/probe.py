"""Try a PostgreSQL elsewhere: login, version, encoding, and whether tables can be made in the database."""

from __future__ import annotations

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.reach import TRUST, Unusable, reach

#: CKAN 2.11's documentation, "Installing CKAN from source"; as `server_version_num` has it
OLDEST = 12_0000
ABOUT = "SELECT current_setting('server_version_num') || ' ' || current_setting('server_encoding')"
#: rolled back, so nobody else ever sees it
MAKE_TABLE = "BEGIN; CREATE TABLE dcor_server_check (id integer); ROLLBACK;"
#: what psql and the server say (PostgreSQL 15, with C messages), and what to do about it
HINTS = {
    "password authentication failed": "Give the password anew: database-password=@FILE.",
    "does not exist": "Make it there: CREATE DATABASE {name} OWNER {user} TEMPLATE template0 ENCODING 'UTF8'.",
    "permission denied": "As its superuser, in {name}: GRANT ALL ON SCHEMA public TO {user};",
    "no pg_hba.conf entry": "Let this machine in there: a line in its pg_hba.conf.",
    "server does not support SSL": "Over a network the connection has to be encrypted: turn on ssl in its postgresql.conf.",
    "certificate": TRUST,
}


def log_in(host: Host, database: Endpoint, password: Secret) -> None:
    """Raise Unusable where CKAN is not let in."""
    reach(database)
    _ask(host, database, password, "SELECT 1")


def probe(host: Host, database: Endpoint, password: Secret) -> None:
    """Raise Unusable for the first thing that CKAN could not live with."""
    log_in(host, database, password)
    version, encoding = _ask(host, database, password, ABOUT).split()
    if int(version) < OLDEST:
        raise Unusable(f"its PostgreSQL is {int(version) // 10000}, and CKAN needs {OLDEST // 10000} or newer")
    if encoding != "UTF8":
        raise Unusable(
            f"the encoding of {database.name} is {encoding}, not UTF8", "Make it anew, with ENCODING 'UTF8'."
        )
    refusal = f"{database.user} may not make tables in {database.name}"
    _ask(host, database, password, MAKE_TABLE, refusal)


def _ask(host: Host, database: Endpoint, password: Secret, sql: str, refusal: str = "it does not let us in") -> str:
    try:
        with host.private_file(psql.passfile_line(database, password)) as passfile:
            return psql.query(host, database, sql, passfile)
    except CommandFailed as error:
        words = psql.complaint(error.hint)
        hint = next((hint for part, hint in HINTS.items() if part in words), "")
        raise Unusable(f"{refusal}: {words}", _hint(database, hint)) from None


def _hint(database: Endpoint, hint: str) -> str:
    return hint.format(name=database.name, user=database.user)
