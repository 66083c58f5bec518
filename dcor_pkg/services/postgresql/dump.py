"""Dump the database by pg_dump(1), in its custom format, into a file of root's."""

from __future__ import annotations

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine import output_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

TIMEOUT_SECONDS = 4 * 3600.0
COMMAND = ("pg_dump", "--no-password", "--format=custom")
#: what pg_dump says of a server that is newer than itself, and what to do about it
MISMATCH = "server version mismatch"
TO_INSTALL = "Install the client of that version, from apt.postgresql.org: apt install postgresql-client-VERSION"


def into(host: Host, database: Endpoint, path: str) -> None:
    """Dump a database: a local one as its superuser, an external one as CKAN's role. Raises DcorError.

    With --host Debian's pg_dump is the newest one, and not that of the local cluster's version (pg_wrapper(1)).
    """
    local = f"--dbname=host={psql.SOCKETS} port={psql.PORT} dbname={database.name}"
    external = (f"--host={database.host}", f"--dbname={psql.connection(database)}")
    place, user = ((local,), "postgres") if database.local else (external, None)
    try:
        output_file.run_into(host, path, *COMMAND, *place, user=user, timeout=TIMEOUT_SECONDS)
    except CommandFailed as error:
        if MISMATCH not in error.hint:
            raise
        raise DcorError(
            f"pg_dump is older than the PostgreSQL at {database.host}.", f"{TO_INSTALL}\n{error.hint}"
        ) from None
