"""Probe an external PostgreSQL: login, version, encoding, and the right to create tables in the database."""

from __future__ import annotations

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import ownership, psql
from dcor_pkg.services.reach import TRUST, UnusableService, reach

#: CKAN 2.11's documentation, "Installing CKAN from source"; in the form of `server_version_num`
MINIMUM_VERSION = 12_0000
VERSION_AND_ENCODING = "SELECT current_setting('server_version_num') || ' ' || current_setting('server_encoding')"
#: rolled back, so nobody else ever sees the table
CREATE_TABLE = "BEGIN; CREATE TABLE dcor_server_check (id integer); ROLLBACK;"
#: parts of messages of psql and of the server (PostgreSQL 15, locale C), and what to do about them
HINTS = {
    "password authentication failed": "Give the password again: database-password=@FILE.",
    "does not exist": "Create it there: CREATE DATABASE {name} OWNER {user} TEMPLATE template0 ENCODING 'UTF8'.",
    "permission denied": "As its superuser, in {name}: GRANT ALL ON SCHEMA public TO {user};",
    "no pg_hba.conf entry": "Allow this machine there: add a line to its pg_hba.conf.",
    "server does not support SSL": "Over a network the connection must be encrypted: enable ssl in its postgresql.conf.",
    "channel binding": "On loopback the server has to prove itself: scram-sha-256 over ssl, in its pg_hba.conf.",
    "certificate": TRUST,
}


def log_in(host: Host, database: Endpoint, password: Secret, _: Settings) -> None:
    """Raise UnusableService where CKAN cannot log in."""
    reach(database)
    _query(host, database, password, "SELECT 1")


def probe(host: Host, database: Endpoint, password: Secret, settings: Settings) -> None:
    """Raise UnusableService for the first requirement of CKAN that is not met."""
    log_in(host, database, password, settings)
    version, encoding = _query(host, database, password, VERSION_AND_ENCODING).split()
    if int(version) < MINIMUM_VERSION:
        raise UnusableService(
            f"its PostgreSQL is version {int(version) // 10000}, and CKAN needs {MINIMUM_VERSION // 10000} or newer"
        )
    if encoding != "UTF8":
        raise UnusableService(
            f"the encoding of {database.name} is {encoding}, not UTF8", "Create it again, with ENCODING 'UTF8'."
        )
    _query(host, database, password, CREATE_TABLE, f"{database.user} cannot create tables in {database.name}")


def content(host: Host, database: Endpoint, password: Secret) -> str | None:
    """Return how much there is in the database, or None where it is empty. Raises UnusableService."""
    found = _query(host, database, password, ownership.RELATIONS)
    return None if found == "0" else f"{found} tables, views and sequences"


def _query(host: Host, database: Endpoint, password: Secret, sql: str, failure: str = "the login failed") -> str:
    try:
        with host.private_file(psql.passfile_line(database, password)) as passfile:
            return psql.query(host, database, sql, passfile)
    except CommandFailed as error:
        message = psql.message(error.hint)
        hint = next((hint for part, hint in HINTS.items() if part in message), "")
        raise UnusableService(f"{failure}: {message}", hint.format(name=database.name, user=database.user)) from None
