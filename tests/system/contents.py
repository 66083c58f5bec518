"""What a server holds, as checksums: the rows of each table and each object in the store. So a loss of any is seen."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_dev.machine import Machine
from migrations import sql
from users import run_client

#: When a user was last seen; a check must not fail because of its own requests.
SEEN = "{last_active,last_access}"
#: psql runs each result as a query of its own (\gexec): name, number and checksum of the rows of each table.
ROWS = r"""
SELECT format($$SELECT '%1$s', count(*), md5(coalesce(string_agg(found, E'\n' ORDER BY found), ''))
FROM (SELECT (to_jsonb(of_table) - '{seen}'::text[])::text AS found FROM public.%1$I AS of_table) AS rows$$, tablename)
FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename \gexec
"""


@dataclass(frozen=True)
class Contents:
    """The tables with number and checksum of their rows, and the objects with their checksums."""

    tables: dict[str, str]
    objects: dict[str, str]

    def without(self, *tables: str) -> Contents:
        """Return all but these tables."""
        return Contents({name: it for name, it in self.tables.items() if name not in tables}, self.objects)


def contents(machine: Machine) -> Contents:
    """Return what a server that serves holds now."""
    lines = sql(machine, ROWS.format(seen=SEEN)).splitlines()
    tables = {name: f"{count} rows, {checksum}" for name, count, checksum in (line.split("|") for line in lines)}
    return Contents(tables, run_client(machine, "objects", "--configuration", "/etc/ckan/default/ckan.ini"))
