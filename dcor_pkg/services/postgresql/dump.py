"""Dump the database by pg_dump(1), in its custom format, into a file of root's."""

from __future__ import annotations

from dcor_pkg.machine import output_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

TIMEOUT_SECONDS = 4 * 3600.0
COMMAND = ("pg_dump", "--no-password", "--format=custom")


def into(host: Host, database: Endpoint, path: str) -> None:
    """Dump a database: a local one as its superuser, an external one as CKAN's role. Raises DcorError."""
    connection = psql.connection(database)
    if database.local:
        connection = f"host={psql.SOCKETS} port={psql.PORT} dbname={database.name}"
    user = "postgres" if database.local else None
    output_file.run_into(host, path, *COMMAND, f"--dbname={connection}", user=user, timeout=TIMEOUT_SECONDS)
