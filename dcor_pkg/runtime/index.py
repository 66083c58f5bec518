"""Let the search index have the active datasets of the database, and no others: `python -m dcor_runtime.index`.

Unlike `ckan search-index rebuild`, this touches only those that differ, so that searches go on meanwhile, and a dataset
that CKAN cannot index stops nothing. Prints the ids of such datasets as JSON.
"""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Iterable

from ckan import model
from ckan.common import config
from ckan.lib import search
from ckan.lib.search.common import make_connection
from dcor_runtime import application

#: what the index shows as datasets of this site
QUERY = '+state:active +dataset_type:dataset +site_id:"{site}"'
#: more than there are
ALL = 10_000_000
#: a user could go on changing a dataset for ever
TRIES = 10
log = logging.getLogger(__name__)


def complete(others: Iterable[str] = ()) -> list[str]:
    """Index what is missing, and remove what is too much; return the ids of those for which that fails.

    `others`: the ids of datasets that are indexed in any case.
    """
    active = {row.id for row in model.Session.query(model.Package.id).filter_by(state="active", type="dataset")}
    return [identity for identity in sorted((active ^ _indexed()) | {*others}) if not _refresh(identity)]


def _indexed() -> set[str]:
    found = make_connection().search(QUERY.format(site=config["ckan.site_id"]), fl="id", rows=ALL)
    return {document["id"] for document in found.docs}


def _refresh(identity: str) -> bool:
    """Index a dataset as it is in the database, or remove it; return whether that succeeds.

    One that is changed meanwhile is indexed again, since the older text may have been written over the newer one.
    """
    known: object = ()
    for _ in range(TRIES):
        now = _state(identity)
        if now == known:
            break
        known = now
        try:
            if now is None or now[0] == "deleted":
                search.clear(identity)
            else:
                search.rebuild(identity)
        except Exception:
            log.exception("The dataset %s cannot be indexed.", identity)
            return False
    return True


def _state(identity: str) -> tuple[str, datetime.datetime] | None:
    """Return the state of a dataset in the database now, and when it was changed; None where there is none."""
    model.Session.rollback()  # or the session would remember what it has read before
    package = model.Session.query(model.Package).get(identity)
    return None if package is None else (package.state, package.metadata_modified)


if __name__ == "__main__":
    application.load()
    print(json.dumps(complete()))
