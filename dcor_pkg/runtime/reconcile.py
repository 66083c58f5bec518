"""Let all objects follow the database, once a night: `python -m dcor_runtime.reconcile DAYS`. Prints JSON.

Objects whose resource was purged DAYS ago are removed. Nothing else is: of what the database does not contain for
another reason only the number is reported (`dcor_runtime.unknown_objects` removes that, when an administrator says so).
What a resource lacks is made (`dcor_runtime.missing`).
"""

from __future__ import annotations

import json
import sys
from typing import Any

from dcor_runtime import application, missing, object_tags, own_store, publication, stored
from dcor_runtime.resources import Access
from dcor_runtime.stored import Comparison, Object


def run(days: float) -> dict[str, Any]:
    """Reconcile, and return what was done as numbers of objects. Raises one of STORE_ERRORS, or OfAnotherDatabase."""
    own_store.require()
    found = stored.compare(days)
    followed = sum(map(_follow, found.known))
    withdrawn = 0 if found.suspicious else sum(map(_withdraw, found.unknown))
    removed = [it for it, moment in found.purged.items() if stored.is_past(moment, days) and stored.remove(it)]
    queued = missing.queue(found.known)
    return {**_counts(found), "retagged": followed + withdrawn, "removed": len(removed), "queued": queued}


def _counts(found: Comparison) -> dict[str, Any]:
    return {
        "objects": len(found.known),
        "purged": len(found.purged),
        "unknown": len(found.unknown),
        "suspicious": found.suspicious,
    }


def _follow(it: Object) -> int:
    return int(publication.settle(it.resource, [(it.bucket, it.key)]))


def _withdraw(it: Object) -> int:
    return int(object_tags.follow(it.bucket, it.key, Access.PRIVATE))


if __name__ == "__main__":
    application.load()
    with own_store.refusal_as_message():
        print(json.dumps(run(float(sys.argv[1]))))
