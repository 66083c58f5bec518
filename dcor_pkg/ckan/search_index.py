"""The search index: made anew from the database where it has been lost, or no longer fits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

from dcor_pkg.ckan import release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.kernel.pending import REBUILD_INDEX
from dcor_pkg.machine import http_request, state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql

DATASETS = "SELECT count(*) FROM package WHERE type = 'dataset' AND state = 'active'"
#: which database and which Solr it was that fit each other
MEMORY = "/var/lib/dcor-server/index.json"


@dataclass(frozen=True)
class SearchIndex:
    """An index made from the database that is used now, and with something in it if there is something to find."""

    release: str
    database: Endpoint
    solr: Endpoint
    name: str = "search index"

    def check(self, host: Host) -> str | None:
        known = _noted(host)
        if known is None:
            return "is not noted yet"
        if known != self._pair():
            return "was made from another database, or elsewhere"
        return self._fault(host)

    def apply(self, host: Host) -> None:
        """Make it anew, if it does not fit; what is there of another database is cleared before.

        An index that we find at the first time is believed to fit if there is something in it.
        """
        known = _noted(host)
        if known not in (None, self._pair()):
            self._rebuild(host, "--clear")
        elif self._fault(host) is not None:
            self._rebuild(host)
        state_file.write(host, MEMORY, self._pair())

    def _rebuild(self, host: Host, *options: str) -> None:
        release.run(host, self.release, "ckan", "search-index", "rebuild", *options, timeout=24 * 3600)
        pending.clear(host, REBUILD_INDEX)

    def _pair(self) -> dict[str, str]:
        return {"database": self.database.address, "solr": self.solr.address}

    def _fault(self, host: Host) -> str | None:
        try:
            datasets = int(psql.query(host, self.database, DATASETS))
        except CommandFailed:
            return "there is no database to make it from yet"
        found = _count(host, self.solr)
        if isinstance(found, str):
            return found
        if found == datasets == 0:
            return None
        if pending.is_pending(host, REBUILD_INDEX):
            return "is older than what it is made from"
        return f"is empty, and the database has {datasets} datasets" if found == 0 else None


def _noted(host: Host) -> dict[str, str] | None:
    return state_file.read(host, MEMORY, None)


def _count(host: Host, solr: Endpoint) -> int | str:
    """Return how many documents there are, or why that cannot be told."""
    answer = http_request.ask(f"{solr.address}/select?q=*:*&rows=0&wt=json", solr.login(partial(secrets.read, host)))
    if answer.status != 200:
        return f"Solr answers {answer.status} ({answer.body.strip()[:100]})"
    return int(json.loads(answer.body)["response"]["numFound"])
