"""`dcor-server withdraw`: take back at once what was published by mistake, and ask the store whether it is so."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import runtime_module
from dcor_pkg.verbs.verb import FAILED, JSON, OK, Console, Verb, argument

PRIVATE, DELETED, PURGED, DRY_RUN = "private", "deleted", "purged", "dry-run"


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Withdraw a dataset or a resource; 1 when somebody can still read it."""
    mode = DRY_RUN if options.dry_run else options.mode
    if mode == PURGED and not options.yes:
        raise DcorError(
            f"A purge of {options.id} cannot be undone: its files are removed from the store.",
            f"To see what it is: dcor-server withdraw --dry-run {options.id}. To purge it, add --yes.",
        )
    result = runtime_module.run(host, "withdraw", mode, options.id)
    _require_success(result, options.id)
    console.out(json.dumps(result, indent=1) if options.json else _text(result, mode))
    return FAILED if result["readable"] and mode != DRY_RUN else OK


def _require_success(result: Mapping[str, Any], identity: str) -> None:
    if not result["found"]:
        raise DcorError(
            f"There is no dataset and no file with the id or name {identity}.",
            "The id is in the address of its page. What was purged is not in the database any more.",
        )
    if "invalid" in result:
        raise DcorError(
            f"CKAN cannot remove the file {identity} from its dataset: {result['invalid']}",
            "Withdraw the whole dataset instead.",
        )


def _text(result: Mapping[str, Any], mode: str) -> str:
    """Return the result in a few lines: what it was and is, and which of its objects everybody can read."""
    name = f"The file {result['resource']} of {result['dataset']}" if result["resource"] else str(result["dataset"])
    change = f"is {result['is']}" if mode == DRY_RUN else f"was {result['was']} and is {result['is']}"
    removed = f", {result['removed']} of them removed" if mode == PURGED else ""
    readable = [f"  {address}" for address in result["readable"]]
    state = "Everybody can read these:" if readable else "Nobody can read one of them without permission."
    return "\n".join((f"{name} {change}; {result['objects']} objects in the store{removed}. {state}", *readable))


ARGUMENTS = (
    JSON,
    argument(
        "--dry-run", action="store_true", help="show what it is, and what everybody can read of it; change nothing"
    ),
    argument(
        "--delete",
        dest="mode",
        action="store_const",
        const=DELETED,
        default=PRIVATE,
        help="delete a dataset instead of making it private; a sysadmin can undo that",
    ),
    argument(
        *("--purge",),
        dest="mode",
        action="store_const",
        const=PURGED,
        help="delete it for ever, and remove its files from the store; needs --yes",
    ),
    argument("--yes", action="store_true", help="really purge"),
    argument(
        "id",
        metavar="ID",
        help="the id or name of a dataset, which becomes private; or the id of a file, which is deleted",
    ),
)
VERB = Verb("withdraw", "take back at once a dataset, or a file, that was published by mistake", run, ARGUMENTS)
