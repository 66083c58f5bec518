"""`dcor-server unknown-objects`: list, or remove, objects in the store of which CKAN's database knows nothing.

They remain from uploads that nobody completed, and from what was purged before dcor-server took care of it. They also
look like this after an older backup of the database was restored, so nothing but this command ever removes them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import runtime_module
from dcor_pkg.verbs.verb import JSON, OK, Console, Verb, argument, days_argument

#: an upload may take some days, and its files are unknown until it is complete
DAYS = 7.0
SUSPICIOUS = (
    "These are many: compare the database with the store, or restore a newer backup of it, before you remove them."
)


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """List the objects, and remove them if that is asked for."""
    result = runtime_module.run(host, "unknown_objects", "remove" if options.yes else "list", str(options.days))
    if options.json:
        console.out(json.dumps(result, indent=1))
        return OK
    for it in result["unknown"]:
        console.out(f"{it['object']} {it['bytes']} bytes, {it['modified']}")
    console.out(_summary(result, removed=options.yes))
    return OK


def _summary(result: Mapping[str, Any], *, removed: bool) -> str:
    number = len(result["unknown"])
    if removed:
        return f"{result['removed']} of {number} objects were removed."
    warning = f" {SUSPICIOUS}" if result["suspicious"] else ""
    hint = f" To remove them for ever: dcor-server unknown-objects --yes{warning}" if number else ""
    return f"The database does not know {number} objects in the store.{hint}"


ARGUMENTS = (
    JSON,
    argument("--yes", action="store_true", help="remove them for ever"),
    days_argument("those that are so many days old", DAYS),
)
VERB = Verb(
    "unknown-objects", "list, or remove, objects in the store of which the database knows nothing", run, ARGUMENTS
)
