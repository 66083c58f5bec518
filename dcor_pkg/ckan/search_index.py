"""The step that completes the search index from the database, or rebuilds it when it is outdated as a whole."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dcor_pkg.ckan import release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.pending import REBUILD_INDEX
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import STATE
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.solr import cores
from dcor_pkg.services.solr import local as local_solr

DATASETS = "SELECT count(*) FROM package WHERE type = 'dataset' AND state = 'active'"
#: the database that the index was built from, and the Solr that holds it
STATE_FILE = f"{STATE}/index.json"
#: there: the ids of the datasets that CKAN cannot index
UNINDEXED = "unindexed"
#: `--force` goes on after a dataset that fails
REBUILD = ("ckan", "search-index", "rebuild", "--force")
#: a hundred thousand datasets take hours
REBUILD_TIMEOUT_SECONDS = 24 * 3600.0
#: a dataset is in the database a moment before it is in the index, so a difference counts if it lasts so many seconds
PATIENCE_SECONDS, POLL_SECONDS = 10.0, 1.0


@dataclass(frozen=True)
class SearchIndex:
    """An index that was built from the present database, and has as many datasets, except what CKAN cannot index."""

    release: str
    database: Endpoint
    solr: Endpoint
    name: str = "search index"

    def check(self, host: Host) -> str | None:
        recorded = _recorded(host)
        if recorded is None:
            return "its database has not been recorded yet"
        if not self._is_of_pair(recorded):
            return f"was built from {recorded['database']} in {recorded['solr']}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (drift := self._drift(host, recorded)) is not None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return drift

    def apply(self, host: Host) -> None:
        """Rebuild an index that is outdated as a whole, and clear one of another database first; then complete it.

        An index for which nothing is recorded is an earlier installation's: it is only completed.
        """
        recorded = _recorded(host)
        if recorded is not None and not self._is_of_pair(recorded):
            self._rebuild(host, "--clear")
        elif pending.is_pending(host, REBUILD_INDEX):
            self._rebuild(host)
        command = ("python", "-m", "dcor_runtime.index")
        output = release.run(host, self.release, *command, timeout=REBUILD_TIMEOUT_SECONDS)
        failed = json.loads(output.strip().splitlines()[-1])
        state_file.write(host, STATE_FILE, {**self._pair(), UNINDEXED: failed})

    def _rebuild(self, host: Host, *options: str) -> None:
        """Index all datasets. The core beside, of a local Solr, would need the same before it is used again."""
        core, began = cores.named(host), time.time()
        if self.solr.local:
            cores.forget(host, cores.other(core))
        release.run(host, self.release, *REBUILD, *options, timeout=REBUILD_TIMEOUT_SECONDS)
        if self.solr.local:
            cores.caught_up(host, core, began)
        pending.clear(host, REBUILD_INDEX)

    def _pair(self) -> dict[str, str]:
        return {"database": self.database.address, "solr": self.solr.address}

    def _is_of_pair(self, recorded: Mapping[str, Any]) -> bool:
        return {**recorded, **self._pair()} == recorded

    def _drift(self, host: Host, recorded: Mapping[str, Any]) -> str | None:
        """Return how the index differs from the database, or None."""
        if pending.is_pending(host, REBUILD_INDEX) and _datasets(host, self.database):
            return "is older than the database's content"
        return difference(host, self.database, self.solr, len(recorded.get(UNINDEXED, ())))


def difference(host: Host, database: Endpoint, solr: Endpoint, unindexed: int, core: str = "") -> str | None:
    """Return how the number of datasets in the index, or in another core than the one in use, is wrong, or None.

    `unindexed`: how many CKAN cannot index.
    """
    datasets = _datasets(host, database)
    if datasets is None:
        return "cannot be built yet: the database has no tables"
    found = _count(host, solr, core)
    if isinstance(found, str):
        return found
    return None if found == datasets - unindexed else f"has {found} datasets, and the database has {datasets}"


def _datasets(host: Host, database: Endpoint) -> int | None:
    """Return how many datasets the database has, or None where it has no tables."""
    try:
        return int(psql.query(host, database, DATASETS))
    except CommandFailed:
        return None


def notices(host: Host) -> list[Notice]:
    """Return that there are datasets which nobody finds."""
    failed = (_recorded(host) or {}).get(UNINDEXED, ())
    if not failed:
        return []
    message = (
        f"names datasets that CKAN cannot index, so that no search finds them ({len(failed)}, such as {failed[0]})"
    )
    return [Notice(STATE_FILE, message, f"CKAN says why: dcor-server ckan search-index rebuild {failed[0]}")]


def _recorded(host: Host) -> dict[str, Any] | None:
    return state_file.read(host, STATE_FILE, None)


def _count(host: Host, solr: Endpoint, core: str) -> int | str:
    """Return the number of documents in the index, or why it is unknown."""
    answer = local_solr.count(host, solr, core)
    if answer.status != 200:
        return f"cannot be read: Solr answers with status {answer.status} ({answer.body.strip()[:100]})"
    return int(json.loads(answer.body)["response"]["numFound"])
