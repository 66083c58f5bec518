"""Find the objects that the database does not contain: `python -m dcor_runtime.unknown_objects list|remove DAYS`.

Prints JSON. Objects that are younger than DAYS are left out, because they may belong to an upload that is not complete.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from dcor_runtime import application, own_store, stored


def run(days: float, *, remove: bool) -> dict[str, Any]:
    """Return the objects, and how many were removed. Raises one of STORE_ERRORS, or OfAnotherDatabase."""
    own_store.require()
    found = stored.compare(days)
    listed = [
        {"object": f"{it.bucket}/{it.key}", "bytes": it.bytes, "modified": str(it.modified)} for it in found.unknown
    ]
    removed = sum(map(stored.remove, found.unknown)) if remove else 0
    return {"unknown": listed, "suspicious": found.suspicious, "removed": removed}


if __name__ == "__main__":
    application.load()
    with own_store.refusal_as_message():
        print(json.dumps(run(float(sys.argv[2]), remove=sys.argv[1] == "remove")))
