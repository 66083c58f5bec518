"""Whose the database on this machine is. The manual of CKAN gives each CKAN's database and role the same names as ours.

Ours has a mark, a comment with the id of this instance; a purge drops nothing without it. A database without it becomes
this server's where it is empty, where this server has used it before it set marks, or where the administrator says so.
"""

from __future__ import annotations

import time

from dcor_pkg.answers.settings import InvalidAnswer, default
from dcor_pkg.answers.validators import LOCAL
from dcor_pkg.kernel import instance, settings_file
from dcor_pkg.machine import paths, state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

#: made by an administrator who wants a database with another mark, or none, to become this server's
TAKE_UP = instance.take_up("database")
#: where it is dumped first
DUMPS, OF_POSTGRES = "/var/backups/dcor-server-taken-up", Access(0o700, "postgres", "postgres")
DUMP_TIMEOUT_SECONDS = 4 * 3600.0

#: what has comments: the database, the role that owns it, and the one as which CKAN logs in
DATABASE, OWNER, LOGIN = "database", "owner", "login"
#: its result: each of these that exists, and its comment
MARKS = """
SELECT 'database', coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = '{name}'
UNION ALL SELECT 'owner', coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = '{name}'
UNION ALL SELECT 'login', coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = '{login}'
"""
#: of tables, views and sequences, except those of extensions
RELATIONS = (
    "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' "
    "AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
)


def require(host: Host, database: Endpoint) -> None:
    """Raise InvalidAnswer where the database, or the role that would own a new one, is another program's."""
    problem = _problem(host, database, marks(host, database))
    if problem is not None and not host.exists(TAKE_UP):
        raise InvalidAnswer(
            f"dcor-server/{database.key}",
            LOCAL,
            problem,
            f"To take it up (it is dumped into {DUMPS} first): {instance.take_up_command(database.key)}. To leave it alone, give this server a "
            "database of another name: postgresql://USER@HOST/NAME.",
        )


def prepare(host: Host, database: Endpoint) -> None:
    """Dump a database that is about to be taken up."""
    if host.exists(TAKE_UP) and DATABASE in marks(host, database):
        host.make_directory(DUMPS, OF_POSTGRES)
        file = f"{DUMPS}/{database.name}-{time.strftime('%Y%m%dT%H%M%S')}.dump"
        place = (f"--host={psql.SOCKETS}", f"--port={psql.PORT}", "--no-password")
        command = ("pg_dump", *place, "--format=custom", f"--file={file}", database.name)
        host.run(*command, user="postgres", timeout=DUMP_TIMEOUT_SECONDS)


def create_role(host: Host, role: str, options: str) -> None:
    """Create a role with the mark, in one step: after a power cut one without it would be another program's."""
    create, comment = f'CREATE ROLE "{role}"{options}', _comment(host, role)
    psql.as_superuser(host, f"BEGIN; {create}; {comment}; COMMIT")


def take(host: Host, database: Endpoint) -> None:
    """Set the marks that are missing, the one of the database last.

    The role that logs in may be another program's as well, so it gets one only if this server has used it before.
    """
    found, own = marks(host, database), instance.mark(host)
    if found[OWNER] != own:
        psql.as_superuser(host, _comment(host, database.name))
    if is_used(host, database) and not found[LOGIN]:
        psql.as_superuser(host, _comment(host, database.user))
    if found[DATABASE] != own:
        psql.as_superuser(host, f"COMMENT ON DATABASE {database.name} IS '{own}'")
    host.remove(TAKE_UP)


def marks(host: Host, database: Endpoint) -> dict[str, str]:
    """Return the comments on the database and its roles, as far as these exist."""
    lines = psql.as_superuser(host, MARKS.format(name=database.name, login=database.user)).splitlines()
    return dict(line.split("|", 1) for line in lines)


def is_used(host: Host, database: Endpoint) -> bool:
    """Tell whether this server has recorded that it uses the local database, or a purge has preserved that it did."""
    return database.address in state_file.read(host, paths.ADDRESSES, {}) or _was_preserved(host, database)


def _comment(host: Host, role: str) -> str:
    return f"COMMENT ON ROLE \"{role}\" IS '{instance.mark(host)}'"


def _was_preserved(host: Host, database: Endpoint) -> bool:
    text = host.read(instance.PRESERVED_INSTANCE)
    answers = settings_file.read_preserved(host)
    return text == instance.known(host) is not None and answers.get(database.key, default(database.key)) == LOCAL


def _problem(host: Host, database: Endpoint, found: dict[str, str]) -> str | None:
    """Return what is another program's, or None."""
    accepted = {instance.mark(host), *([""] if is_used(host, database) else [])}
    if DATABASE in found:
        is_new = not found[DATABASE] and psql.as_superuser(host, RELATIONS, database.name) == "0"
        return None if is_new or found[DATABASE] in accepted else f"{database.name} is not empty, and not this server's"
    return (
        None
        if found.get(OWNER, "") in accepted or OWNER not in found
        else f"the role {database.name} is not this server's"
    )
