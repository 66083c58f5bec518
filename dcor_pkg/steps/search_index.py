"""The search index: made anew from the database where it has been lost, or no longer fits."""

from __future__ import annotations

import base64
import json
import urllib.request
from dataclasses import dataclass
from urllib.error import URLError

from dcor_pkg import handlers, release, secrets
from dcor_pkg.errors import CommandFailed
from dcor_pkg.handlers import REBUILD_INDEX
from dcor_pkg.host import Host
from dcor_pkg.steps import postgresql, solr

COUNT = "http://127.0.0.1:8983/solr/ckan/select?q=*:*&rows=0&wt=json"
DATASETS = "SELECT count(*) FROM package WHERE type = 'dataset' AND state = 'active'"


@dataclass(frozen=True)
class SearchIndex:
    """An index with something in it, if the database has something to find."""

    release: str
    name: str = "search index"

    def check(self, host: Host) -> str | None:
        try:
            datasets = int(postgresql.query(host, DATASETS))
        except CommandFailed:
            return "there is no database to make it from yet"
        if datasets == 0:
            return None
        if handlers.is_due(host, REBUILD_INDEX):
            return "is older than what it is made from"
        found = _count(host)
        if isinstance(found, str):
            return found
        return f"is empty, and the database has {datasets} datasets" if found == 0 else None

    def apply(self, host: Host) -> None:
        release.run(host, self.release, "ckan", "search-index", "rebuild", timeout=24 * 3600)
        handlers.done(host, REBUILD_INDEX)


def _count(host: Host) -> int | str:
    """Return how many documents there are, or why that cannot be told."""
    login = f"{solr.USER}:{secrets.read(host, solr.PASSWORD)}"
    header = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(COUNT, headers=header), timeout=30) as answer:
            return int(json.load(answer)["response"]["numFound"])
    except URLError as error:
        return f"Solr does not answer: {error.reason}"
