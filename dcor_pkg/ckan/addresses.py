"""The step that keeps the server's own addresses in the database up to date.

When a file is uploaded, DCOR stores the address of the resource's page (`url`) and that of the object in the store
(`s3_url`) with it, and DCOR's clients follow these. So they have to change with the host name and with the store.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.kernel import pending
from dcor_pkg.kernel.pending import REBUILD_INDEX
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import ADDRESSES
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

Pair = dict[str, str]


@dataclass(frozen=True)
class Addresses:
    """The addresses of CKAN and of its object store, each as https://HOST."""

    site: str
    store: str
    database: Endpoint
    name: str = "addresses in the database"

    def check(self, host: Host) -> str | None:
        recorded = _recorded(host)
        if not recorded or next(reversed(recorded)) != self.database.address:
            return f"have not been recorded yet for {self.database.address}"
        last = recorded[self.database.address]
        return None if last == self._wanted() else f"are those of {last['site']} and {last['store']}"

    def apply(self, host: Host) -> None:
        """Replace all former addresses of this server; any others, of data on other servers, are left alone.

        All, because a database may be a copy of the last one, or one that was used long ago.
        """
        recorded = _recorded(host)
        former = [pair for pair in recorded.values() if pair != self._wanted()]
        if former:
            pending.request(host, REBUILD_INDEX)
            psql.query(host, self.database, "\n".join(["BEGIN;", *map(self._replacement, former), "COMMIT;"]))
        recorded.pop(self.database.address, None)
        state_file.write(host, ADDRESSES, {**recorded, self.database.address: self._wanted()})

    def _replacement(self, former: Pair) -> str:
        """Return the SQL that replaces a former pair of addresses."""
        return _replace("url", f"{former['site']}/dataset/", f"{self.site}/dataset/") + _replace(
            "extras", f'"s3_url": "{former["store"]}/', f'"s3_url": "{self.store}/'
        )

    def _wanted(self) -> Pair:
        return {"site": self.site, "store": self.store}


def _recorded(host: Host) -> dict[str, Pair]:
    return state_file.read(host, ADDRESSES, {})


def _replace(column: str, old: str, new: str) -> str:
    """Return the SQL that replaces a text in a column of all resources."""
    contains = f"position('{old}' in {column}) > 0"
    # Both texts are made of validated host names.
    return f"UPDATE resource SET {column} = replace({column}, '{old}', '{new}') WHERE {contains};\n"  # noqa: S608
