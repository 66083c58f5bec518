"""The step that compares the search index with the database dataset by dataset, and has those repaired that differ.

Their numbers may agree while one is missing and another one, of a dataset that was purged, is left over. Only those are
touched, so that searches go on meanwhile.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from dcor_pkg.ckan import release, search_index
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.machine import http_request, state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.solr import local as local_solr

#: the ids of all datasets that the index should have
IDS = "SELECT id FROM package WHERE type = 'dataset' AND state = 'active'"
#: documents that may be added between two questions to Solr
MARGIN = 1000


@dataclass(frozen=True)
class IndexDocuments:
    """An index that has a document for each dataset of the database, and no others."""

    database: Endpoint
    solr: Endpoint
    name: str = "documents of the search index"

    def check(self, host: Host) -> str | None:
        """Return how they differ. What cannot be compared is reported by the step of the index as a whole.

        A dataset is in the database a moment before it is in the index, so a difference counts if it lasts.
        """
        deadline = time.monotonic() + search_index.PATIENCE_SECONDS
        while (drift := self._drift(host)) is not None and time.monotonic() < deadline:
            time.sleep(search_index.POLL_SECONDS)
        return drift

    def apply(self, host: Host) -> None:
        """Index what is missing, and remove what is left over, one by one. Raises DcorError."""
        active = release.active(host)
        if active is None:
            raise DcorError("The index cannot be repaired without a release.", "Run: dcor-server converge")
        command = ("python", "-m", "dcor_runtime.index")
        output = release.run(host, active, *command, timeout=search_index.REBUILD_TIMEOUT_SECONDS)
        failed = json.loads(output.strip().splitlines()[-1])
        state_file.write(host, search_index.STATE_FILE, {**_recorded(host), search_index.UNINDEXED: failed})

    def _drift(self, host: Host) -> str | None:
        if not _recorded(host) or pending.is_pending(host, pending.REBUILD_INDEX):
            return None
        try:
            stored = set(psql.query(host, self.database, IDS).split())
        except CommandFailed:
            return None
        if (indexed := _indexed(host, self.solr)) is None:
            return None
        missing = stored - indexed - set(_recorded(host).get(search_index.UNINDEXED, ()))
        parts = [_part("lacks", missing), _part("has left over", indexed - stored)]
        return " and ".join(filter(None, parts)) or None


def _part(what: str, found: Iterable[str]) -> str:
    """Return how many of something there are, and the first of them."""
    ids = sorted(found)
    return f"{what} {len(ids)} (such as {ids[0]})" if ids else ""


def _indexed(host: Host, solr: Endpoint) -> set[str] | None:
    """Return the ids of the datasets in the index, or None where Solr does not answer."""
    counted = local_solr.count(host, solr)
    if counted.status != 200:
        return None
    rows = int(json.loads(counted.body)["response"]["numFound"]) + MARGIN
    address = f"{local_solr.address(host, solr)}/select?q={local_solr.DATASETS}&fl=id&rows={rows}&wt=json"
    answer = http_request.ask(address, solr.login(partial(secrets.read, host)))
    if answer.status != 200:
        return None
    return {document["id"] for document in json.loads(answer.body)["response"]["docs"]}


def _recorded(host: Host) -> dict[str, Any]:
    """Return which database the index was made from, or nothing while that is unknown."""
    return state_file.read(host, search_index.STATE_FILE, None) or {}
