"""The step that rebuilds the search index from the database when it is lost or outdated."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import NamedTuple

from dcor_pkg.ckan import release
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.pending import REBUILD_INDEX
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import STATE
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.solr import local as local_solr

DATASETS = "SELECT count(*) FROM package WHERE type = 'dataset' AND state = 'active'"
#: the database that the index was built from, and the Solr that holds it
STATE_FILE = f"{STATE}/index.json"
#: a hundred thousand datasets take hours
REBUILD_TIMEOUT_SECONDS = 24 * 3600.0
#: a dataset is in the database a moment before it is in the index, so a difference counts if it lasts so many seconds
PATIENCE_SECONDS, POLL_SECONDS = 10.0, 1.0


class Drift(NamedTuple):
    """How the index differs from the database, and the options of `ckan search-index rebuild` that help."""

    reason: str
    options: tuple[str, ...] = ()
    #: whether it may be a change that is being made
    may_pass: bool = False


@dataclass(frozen=True)
class SearchIndex:
    """An index that was built from the present database, and has as many datasets."""

    release: str
    database: Endpoint
    solr: Endpoint
    name: str = "search index"

    def check(self, host: Host) -> str | None:
        recorded = _recorded(host)
        if recorded is None:
            return "its database has not been recorded yet"
        if recorded != self._pair():
            return f"was built from {recorded['database']} in {recorded['solr']}"
        drift = self._drift(host)
        return None if drift is None else drift.reason

    def apply(self, host: Host) -> None:
        """Rebuild the index if necessary; one that was built from another database is cleared first.

        An index for which nothing is recorded is an earlier installation's: it is used as it is, unless it is empty.
        """
        recorded = _recorded(host)
        if recorded not in (None, self._pair()):
            self._rebuild(host, "--clear")
        elif (drift := self._drift(host)) is not None:
            self._rebuild(host, *drift.options)
        state_file.write(host, STATE_FILE, self._pair())

    def _rebuild(self, host: Host, *options: str) -> None:
        command = ("ckan", "search-index", "rebuild", *options)
        release.run(host, self.release, *command, timeout=REBUILD_TIMEOUT_SECONDS)
        pending.clear(host, REBUILD_INDEX)

    def _pair(self) -> dict[str, str]:
        return {"database": self.database.address, "solr": self.solr.address}

    def _drift(self, host: Host) -> Drift | None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (drift := self._drift_now(host)) is not None and drift.may_pass and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return drift

    def _drift_now(self, host: Host) -> Drift | None:
        try:
            datasets = int(psql.query(host, self.database, DATASETS))
        except CommandFailed:
            return Drift("cannot be built yet: the database has no tables")
        found = _count(host, self.solr)
        if isinstance(found, str):
            return Drift(found)
        if datasets and pending.is_pending(host, REBUILD_INDEX):
            return Drift("is older than the database's content")
        if found == datasets:
            return None
        reason = f"has {found} datasets, and the database has {datasets}"
        return Drift(reason, ("--only-missing",) if found < datasets else ("--clear",), may_pass=True)


def _recorded(host: Host) -> dict[str, str] | None:
    return state_file.read(host, STATE_FILE, None)


def _count(host: Host, solr: Endpoint) -> int | str:
    """Return the number of documents in the index, or why it is unknown."""
    answer = local_solr.count(host, solr)
    if answer.status != 200:
        return f"cannot be read: Solr answers with status {answer.status} ({answer.body.strip()[:100]})"
    return int(json.loads(answer.body)["response"]["numFound"])
