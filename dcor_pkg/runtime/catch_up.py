"""Let a core of Solr have what another one has: `python -m dcor_runtime.catch_up ADDRESS SINCE`.

The first one is that of the configuration. Indexed are the datasets that were indexed in the other one since a time,
for whatever reason; those that one of the two lacks; and those that the database has and the index lacks, or the other
way round. Prints as JSON the ids of those that CKAN cannot index ("failed"), and of those among them that the other
core has ("lost").
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ckan.common import config
from ckan.lib.search.common import SolrSettings, make_connection
from dcor_runtime import application, index

#: datasets of this site, in whichever state
OWN = '+entity_type:package +site_id:"{site}"'
#: Solr sets this field to the time at which it takes a document (CKAN's schema.xml)
INDEXED = " +indexed_ts:[{since} TO *]"


def run(address: str, since: str) -> dict[str, list[str]]:
    """Index what is missing, and return what could not be indexed."""
    query = OWN.format(site=config["ckan.site_id"])
    beside = _connection(address)
    others = _ids(beside, query)
    changed = _ids(beside, query + INDEXED.format(since=since)) | others ^ _ids(make_connection(), query)
    failed = index.complete(changed)
    return {"failed": failed, "lost": [identity for identity in failed if identity in others]}


def _connection(address: str) -> Any:
    """Return a connection to another core, with the login of the configuration."""
    own = SolrSettings.get()
    SolrSettings.init(address, *own[1:])
    try:
        return make_connection()
    finally:
        SolrSettings.init(*own)


def _ids(connection: Any, query: str) -> set[str]:
    return {document["id"] for document in connection.search(query, fl="id", rows=index.ALL).docs}


if __name__ == "__main__":
    application.load()
    print(json.dumps(run(*sys.argv[1:])))
