"""The database of a test instance, and its role, in the PostgreSQL of this machine.

The role logs in by a password, and may do nothing in production's database: by the socket CKAN's user would be
production's role. It has a mark: a role without it, and what it owns, is somebody else's, whatever its name.
"""

from __future__ import annotations

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.services.postgresql import cluster, psql
from dcor_pkg.test_instance.places import DATABASE

MARK = "dcor-server test instance"
#: a line for each of the two, with the mark of the role, which is the owner of the database
FOUND = (
    f"SELECT 'database|' || coalesce(shobj_description(datdba, 'pg_authid'), '') FROM pg_database "  # noqa: S608 (ours)
    f"WHERE datname = '{DATABASE}' "
    f"UNION SELECT 'role|' || coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = '{DATABASE}'"
)
#: both or none, so that a role is never without its mark
CREATE_ROLE = "BEGIN; CREATE ROLE {name} LOGIN PASSWORD '{password}'; COMMENT ON ROLE {name} IS '{mark}'; COMMIT"
CREATE = f"CREATE DATABASE {DATABASE} OWNER {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"


def url(password: str) -> str:
    """Return the address, as CKAN's libraries take it."""
    return f"postgresql://{DATABASE}:{password}@127.0.0.1:{psql.PORT}/{DATABASE}"


def require_possible(host: Host) -> None:
    """Raise DcorError where no database can be made: without a local PostgreSQL, or beside one of that name."""
    if not _answers(host):
        reason = f"A test instance needs a PostgreSQL on this machine, and none answers on port {psql.PORT}."
        raise DcorError(reason, "pg_lsclusters lists what there is; an external database is no place for tests.")
    for kind, mark in _found(host).items():
        if mark != MARK:
            reason = f"PostgreSQL has a {kind} {DATABASE} already, which no test instance of dcor-server has made."
            raise DcorError(
                reason, f"If nobody needs it: runuser -u postgres -- psql -c 'DROP {kind.upper()} {DATABASE}'"
            )


def create(host: Host, password: Secret) -> None:
    """Make role and database; the SQL is made of names and letters of ours, and is in no argument."""
    psql.as_superuser(host, CREATE_ROLE.format(name=DATABASE, password=password.reveal(), mark=MARK))
    psql.as_superuser(host, CREATE)


def drop(host: Host) -> bool:
    """Drop both, if they have the mark, also where a suite that was killed is still connected.

    Return False where PostgreSQL does not answer, so that they stay if they are there.
    """
    if not _answers(host):
        return False
    found = _found(host)
    if found.get("database") == MARK:
        psql.as_superuser(host, f"DROP DATABASE {DATABASE} WITH (FORCE)")
    if found.get("role") == MARK:
        psql.as_superuser(host, f"DROP ROLE {DATABASE}")
    return True


def ask(host: Host, sql: str) -> str:
    """Return what SQL gives in the database."""
    return psql.as_superuser(host, sql, DATABASE)


def _answers(host: Host) -> bool:
    return cluster.local(host) is not None and cluster.is_ready(host)


def _found(host: Host) -> dict[str, str]:
    lines = psql.as_superuser(host, FOUND).splitlines()
    return {kind: mark for kind, _, mark in (line.partition("|") for line in lines)}
