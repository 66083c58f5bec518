"""The server's own addresses in the database: each resource has that of its page and that of its object.

DCOR writes them when a file is uploaded (`url` and `s3_url`), and its clients go where they lead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from dcor_pkg import handlers
from dcor_pkg.handlers import REBUILD_INDEX
from dcor_pkg.host import Access, Host
from dcor_pkg.steps import postgresql

#: the addresses that the database has
MEMORY = "/var/lib/dcor-server/addresses.json"


@dataclass(frozen=True)
class Addresses:
    """Where CKAN and where its object store are reached, each as https://HOST."""

    site: str
    store: str
    name: str = "addresses in the database"

    def check(self, host: Host) -> str | None:
        known = _known(host)
        if known is None:
            return "are not noted yet"
        return None if known == self._wanted() else f"are those of {known['site']} and {known['store']}"

    def apply(self, host: Host) -> None:
        """Lead from the former addresses to these; others, as of data that lie elsewhere, are left alone."""
        known = _known(host)
        if known is not None:
            handlers.request(host, REBUILD_INDEX)
            postgresql.query(
                host,
                "BEGIN;\n"
                + _replaced("url", f"{known['site']}/dataset/", f"{self.site}/dataset/")
                + _replaced("extras", f'"s3_url": "{known["store"]}/', f'"s3_url": "{self.store}/')
                + "COMMIT;\n",
            )
        host.write(MEMORY, json.dumps(self._wanted()) + "\n", Access(0o644))

    def _wanted(self) -> dict[str, str]:
        return {"site": self.site, "store": self.store}


def _known(host: Host) -> dict[str, str] | None:
    found: dict[str, str] | None = json.loads(host.read(MEMORY) or "null")
    return found


def _replaced(column: str, old: str, new: str) -> str:
    """Return the SQL that exchanges a text."""
    return (
        f"UPDATE resource SET {column} = replace({column}, '{old}', '{new}') WHERE position('{old}' in {column}) > 0;\n"
    )
