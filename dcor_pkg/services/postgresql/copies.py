"""Copies of the local database: made, exchanged with it, and dropped (docs/decisions/database-released-like-code.md).

All names are ours, without quotes. Each copy has the mark of this server, so that a purge finds it.
"""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host
from dcor_pkg.runtime import trial
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import cluster, psql

#: in the name of a former database, before its time and the release that migrated it
BEFORE = "_before_"
TIME = "%Y%m%dt%H%M%S"
#: the longest name (PostgreSQL, "Identifiers and Key Words")
MAX_NAME = 63
#: how long a copy of some hundred GiB may take
TIMEOUT_SECONDS = 4 * 3600.0
#: each takes five seconds where others are connected (PostgreSQL, procarray.c, CountOtherDBBackends)
ATTEMPTS = 4
#: a copy, what PostgreSQL logs of it, and something for all others
RESERVE_BYTES = disk.GIB
SIZE = "SELECT pg_database_size(current_database())"
SIZES = "SELECT coalesce(sum(pg_database_size(datname)), 0) FROM pg_database WHERE datname IN ({names})"
#: By copying files, as all did before version 15: what is copied page by page is written twice, and takes longer.
CREATE = r"""
SELECT 'CREATE DATABASE {copy} OWNER {database} TEMPLATE {database}' || CASE WHEN
current_setting('server_version_num')::int >= 150000 THEN ' STRATEGY file_copy' ELSE '' END \gexec
"""
#: settings whose values are lists, stored with quotes (PostgreSQL, src/bin/pg_dump/dumputils.c)
LISTS = (
    "'local_preload_libraries', 'search_path', 'session_preload_libraries', 'shared_preload_libraries', "
    "'temp_tablespaces', 'unix_socket_directories'"
)
READ_ONLY = "default_transaction_read_only"
#: What belongs to the cluster, so that TEMPLATE does not copy it: each query writes the commands for the copy, which
#: psql's \gexec runs.
SETTINGS = r"""
SELECT format('ALTER %s SET %I = %s', CASE setrole WHEN 0 THEN 'DATABASE {copy}'
ELSE format('ROLE %I IN DATABASE {copy}', rolname) END, name, CASE WHEN name IN ({lists}) THEN value
ELSE quote_literal(value) END) FROM pg_database JOIN pg_db_role_setting ON setdatabase = pg_database.oid
LEFT JOIN pg_roles ON setrole = pg_roles.oid, unnest(setconfig) AS option,
LATERAL (SELECT split_part(option, '=', 1) AS name, substr(option, strpos(option, '=') + 1) AS value) AS parts
WHERE datname = '{database}' AND name <> '{read_only}' \gexec
"""
PRIVILEGES = r"""
SELECT 'REVOKE ALL ON DATABASE {copy} FROM PUBLIC' FROM pg_database WHERE datname = '{database}'
AND datacl IS NOT NULL \gexec
SELECT format('GRANT %s ON DATABASE {copy} TO %s%s', privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC'
ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
FROM pg_database, aclexplode(datacl) WHERE datname = '{database}' AND grantee <> datdba \gexec
"""
#: those with a mark, whose names begin so
MARKED = """
SELECT datname FROM pg_database WHERE starts_with(datname, '{beginning}') AND shobj_description(oid, 'pg_database') = '{mark}'
ORDER BY datname
"""


def of(database: Endpoint, name: str) -> Endpoint:
    """Return where a copy of a database is."""
    return replace(database, path=f"/{name}")


def copy_name(database: Endpoint) -> str:
    """Return the name of the copy that is being migrated."""
    return f"{database.name}_copy"


def former_name(database: Endpoint, release: str) -> str:
    """Return the name of a database that a release leaves now."""
    moment, word = time.strftime(TIME, time.gmtime()), re.sub(r"\W", "_", release.lower())
    return f"{database.name}{BEFORE}{moment}_{word}"[:MAX_NAME]


def since(name: str) -> float:
    """Return when a former database was replaced, in seconds since 1970; 0 where its name does not tell."""
    found = re.search(rf"{BEFORE}(\d{{8}}t\d{{6}})_", name)
    return float(calendar.timegm(time.strptime(found[1], TIME))) if found else 0.0


def former(host: Host, database: Endpoint) -> list[str]:
    """Return the former databases of this server, the oldest first. Raises DcorError."""
    return _marked(host, f"{database.name}{BEFORE}")


def size(host: Host, database: Endpoint) -> int:
    """Return the size of a database in bytes. Raises CommandFailed."""
    return int(psql.query(host, database, SIZE))


def require_room(host: Host, database: Endpoint) -> None:
    """Drop former databases, the oldest first, as long as there is no room for a copy. Raises DcorError.

    None is dropped where all of them would not make enough room.
    """
    place, needed, names = cluster.required(host).data, 2 * size(host, database) + RESERVE_BYTES, former(host, database)
    if names and disk.free(host, place) + _sizes(host, names) >= needed:
        for name in names:
            if disk.free(host, place) < needed:
                drop(host, name)
    disk.require(host, place, needed)


def require_replaceable(host: Host, name: str) -> None:
    """Raise DcorError where a database has the name of a copy and lacks the mark of this server."""
    if exists(host, name) and name not in _marked(host, name):
        raise DcorError(
            f"The database {name} is needed as a name, and it does not have the mark of this server, so it is not dropped.",
            f"Rename it: runuser -u postgres -- psql --command='ALTER DATABASE {name} RENAME TO another_name'",
        )


def refuse_writes(host: Host, name: str) -> None:
    """Let those who connect from now on read a database only, unless they insist, and end all connections."""
    psql.as_superuser(host, f"ALTER DATABASE {name} SET {READ_ONLY} = on")
    _end_connections(host, name)


def allow_writes(host: Host, name: str) -> None:
    """Undo `refuse_writes`."""
    psql.as_superuser(host, f"ALTER DATABASE {name} RESET {READ_ONLY}")


def prepare(host: Host) -> None:
    """Write to disk what PostgreSQL has in memory, while the site still serves: a copy begins with that."""
    psql.as_superuser(host, "CHECKPOINT", timeout=TIMEOUT_SECONDS)


def make(host: Host, database: Endpoint, name: str) -> None:
    """Copy a database, whose connections are ended, in the place of a former copy. Raises DcorError."""
    drop(host, name)
    names = {"copy": name, "database": database.name}
    _alone(host, CREATE.format(**names), database.name)
    psql.as_superuser(host, f"COMMENT ON DATABASE {name} IS '{instance.mark(host)}'")
    psql.as_superuser(host, SETTINGS.format(**names, lists=LISTS, read_only=READ_ONLY))
    psql.as_superuser(host, PRIVILEGES.format(**names))


def exchange(host: Host, name: str, incoming: str, aside: str) -> None:
    """Give the database `name` the name `aside`, and `incoming` its name, both or none. Raises DcorError.

    Nobody connects to the one aside any more; the other one takes connections and writes.
    """
    commands = (
        f"ALTER DATABASE {name} RENAME TO {aside}",
        f"ALTER DATABASE {incoming} RENAME TO {name}",
        f"ALTER DATABASE {aside} ALLOW_CONNECTIONS false",
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS true",
        f"ALTER DATABASE {name} RESET {READ_ONLY}",
    )
    _alone(host, "; ".join(("BEGIN", *commands, "COMMIT")), name, incoming)


def remove_trial_token(host: Host, copy: Endpoint) -> None:
    """Remove the token with which a release has written to a copy. Raises CommandFailed."""
    psql.query(host, copy, f"DELETE FROM api_token WHERE name = '{trial.TOKEN}'")  # noqa: S608 (a name of ours)


def drop(host: Host, name: str) -> None:
    """Drop a copy, if it exists, whoever is connected to it."""
    psql.as_superuser(host, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def exists(host: Host, name: str) -> bool:
    """Tell whether there is a copy or former database with this name."""
    return psql.as_superuser(host, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "1"  # noqa: S608


def _sizes(host: Host, names: Sequence[str]) -> int:
    """Return the bytes of databases together."""
    return int(psql.as_superuser(host, SIZES.format(names=_quoted(names))))


def _quoted(names: Iterable[str]) -> str:
    """Return names of ours as a list in SQL."""
    return ", ".join(f"'{name}'" for name in names)


def _marked(host: Host, beginning: str) -> list[str]:
    return psql.as_superuser(host, MARKED.format(beginning=beginning, mark=instance.mark(host))).split()


def _alone(host: Host, sql: str, *names: str) -> None:
    """Run what works only while nobody is connected to these databases, again where somebody has connected."""
    for attempt in range(ATTEMPTS, 0, -1):
        _end_connections(host, *names)
        try:
            psql.as_superuser(host, sql, timeout=TIMEOUT_SECONDS)
        except DcorError:
            if attempt == 1:
                raise
        else:
            return


def _end_connections(host: Host, *names: str) -> None:
    """End all connections to databases: neither TEMPLATE nor RENAME allow any."""
    psql.as_superuser(
        host,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "  # noqa: S608 (names of ours)
        f"WHERE datname IN ({_quoted(names)}) AND pid <> pg_backend_pid()",
    )
