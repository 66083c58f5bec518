"""Write to the database and read what was written, as CKAN's role; nothing is left."""

from __future__ import annotations

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.examined import Examined
from dcor_pkg.services.postgresql import psql

#: rolled back, so nobody else ever sees the table; a disk that is full, or a database that is read-only, refuses it
WRITE_AND_READ = (
    "BEGIN; CREATE TABLE dcor_server_check (id integer); INSERT INTO dcor_server_check VALUES (1); "
    "SELECT id FROM dcor_server_check; ROLLBACK;"
)


def examine(host: Host, database: Endpoint) -> Examined:
    """Write and read. Raises DcorError."""
    try:
        found = psql.query(host, database, WRITE_AND_READ)
    except CommandFailed as error:
        raise DcorError(f"cannot be written to: {psql.message(error.hint)}") from None
    if found != "1":
        raise DcorError(f"does not return what was written, but {found[:100]!r}")
    return Examined("writes and reads")
