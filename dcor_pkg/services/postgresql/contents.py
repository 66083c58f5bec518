"""What a database consists of, to compare it before and after all of it was copied."""

from __future__ import annotations

from dcor_pkg.machine.host import Host
from dcor_pkg.services.postgresql import psql

#: Of each table the number of rows and the sum of their hashes, in whatever order they are; of each sequence how far it
#: is; of everything else the name. psql's \gexec runs the commands that the second query writes.
SQL = r"""
SET timezone = 'UTC';
SELECT format('SELECT %L, count(*), coalesce(sum((''x'' || left(md5(dcor_row::text), 15))::bit(60)::bigint), 0) '
'FROM %I.%I AS dcor_row', 'table ' || nspname || '.' || relname, nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema' \gexec
SELECT 'sequence ' || schemaname || '.' || sequencename, 1, coalesce(last_value, 0) FROM pg_sequences;
SELECT 'relation ' || relkind::text || ' ' || nspname || '.' || relname, 1, 0
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema';
SELECT 'constraint ' || conrelid::regclass::text || ' ' || conname, 1, 0 FROM pg_constraint
JOIN pg_namespace ON pg_namespace.oid = connamespace WHERE contype <> 'n' AND nspname !~ '^pg_' AND nspname <> 'information_schema';
"""
#: all databases of a cluster, and whether they take connections
DATABASES = "SELECT 'database ' || datname, 1, datallowconn FROM pg_database"


def of(host: Host, database: str, timeout: float) -> dict[str, str]:
    """Return each part of a database, with its numbers, and each database beside it. Raises DcorError.

    `timeout` is in seconds.
    """
    lines = [
        *psql.as_superuser(host, SQL, database, timeout).splitlines(),
        *psql.as_superuser(host, DATABASES).splitlines(),
    ]
    parts = (line.partition("|") for line in lines)
    return {name: numbers for name, _, numbers in parts}


def difference(before: dict[str, str], after: dict[str, str]) -> str | None:
    """Return how contents differ from those before, as half a sentence, or None."""
    for name, numbers in before.items():
        if after.get(name) != numbers:
            return f"the {name} is {'missing' if name not in after else 'another'} ({numbers}, now {after.get(name)})"
    return next((f"there is a {name} that was not there" for name in after if name not in before), None)
