"""The server's own addresses in the database: each resource has that of its page and that of its object.

DCOR writes them when a file is uploaded (`url` and `s3_url`), and its clients go where they lead.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.kernel import pending
from dcor_pkg.kernel.pending import REBUILD_INDEX
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

#: the addresses that each database has, the one that was used last at the end
MEMORY = "/var/lib/dcor-server/addresses-by-database.json"

Known = dict[str, str]


@dataclass(frozen=True)
class Addresses:
    """Where CKAN and where its object store are reached, each as https://HOST."""

    site: str
    store: str
    database: Endpoint
    name: str = "addresses in the database"

    def check(self, host: Host) -> str | None:
        noted = _noted(host)
        if not noted or next(reversed(noted)) != self.database.address:
            return "are not noted yet"
        known = noted[self.database.address]
        return None if known == self._wanted() else f"are those of {known['site']} and {known['store']}"

    def apply(self, host: Host) -> None:
        """Lead from all former addresses to these; others, as of data that lie elsewhere, are left alone.

        All, since a database that was not the last one may be a copy of that, or still be what it was long ago.
        """
        noted = _noted(host)
        former = [known for known in noted.values() if known != self._wanted()]
        if former:
            pending.request(host, REBUILD_INDEX)
            psql.query(host, self.database, "\n".join(["BEGIN;", *map(self._led_here, former), "COMMIT;"]))
        noted.pop(self.database.address, None)
        state_file.write(host, MEMORY, {**noted, self.database.address: self._wanted()})

    def _led_here(self, former: Known) -> str:
        """Return the SQL that exchanges what leads to former addresses."""
        return _replaced("url", f"{former['site']}/dataset/", f"{self.site}/dataset/") + _replaced(
            "extras", f'"s3_url": "{former["store"]}/', f'"s3_url": "{self.store}/'
        )

    def _wanted(self) -> Known:
        return {"site": self.site, "store": self.store}


def _noted(host: Host) -> dict[str, Known]:
    return state_file.read(host, MEMORY, {})


def _replaced(column: str, old: str, new: str) -> str:
    """Return the SQL that exchanges a text."""
    return (
        f"UPDATE resource SET {column} = replace({column}, '{old}', '{new}') WHERE position('{old}' in {column}) > 0;\n"
    )
