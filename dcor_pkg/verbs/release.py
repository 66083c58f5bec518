"""`dcor-server release list | rollback [ID]`: the releases that have served, and the way back to one by hand."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

from dcor_pkg.ckan import checkouts, held_release, past_releases, release_id, steps
from dcor_pkg.ckan.going_back import GoingBack
from dcor_pkg.ckan.past_releases import Served
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine import facts
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs.converge import converge_after
from dcor_pkg.verbs.verb import OK, WRONG_USAGE, Action, Console, argument, verb_of

LIST = "dcor-server release list shows the releases."


def rollback(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Go back to a release, and converge."""

    def change() -> None:
        dumped = going_back(host, options.id, "an administrator went back").run(
            host, with_database=options.with_database
        )
        if dumped is not None and not options.json:
            console.out(f"What was written since the migration is in {dumped}.")

    return converge_after(host, options, console, change)


def going_back(host: Host, identity: str | None, reason: str) -> GoingBack:
    """Return the way back to a release, by default to the one before the active one. Raises DcorError."""
    found, settings = facts.read(host), settings_file.load(host)
    target = _chosen(past_releases.read(host), identity)
    return GoingBack(
        target, steps.active_release(settings, found), release_id.of(found, checkouts.paths(settings)), reason
    )


def _chosen(served: Sequence[Served], identity: str | None) -> Served:
    former = served[1:]
    chosen = [it for it in former if identity in (None, it.release)]
    if not chosen:
        reason = f"There is no former release {identity}." if identity else "There is no former release."
        raise DcorError(reason, LIST)
    return chosen[0]


def list_all(host: Host, options: argparse.Namespace, console: Console) -> int:
    """List the releases that have served, the active one first."""
    if options.with_database:  # before the action, where argparse accepts it for both
        console.err("dcor-server release list: --with-database belongs to rollback; without it the releases are listed")
        return WRONG_USAGE
    held, served = held_release.read(host), past_releases.read(host)
    if options.json:
        console.out(json.dumps([{**vars(it), "active": it is served[0]} for it in served], indent=1))
        return OK
    for it in served:
        console.out(_line(it, is_active=it is served[0]))
    for notice in held_release.notices(host) if held else ():
        console.out(str(notice))
    return OK


def _line(served: Served, *, is_active: bool) -> str:
    moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(served.since)) if served.since else "unknown"
    database = f", its database is {served.database}" if served.database else ""
    return f"{'*' if is_active else ' '} {served.release}  since {moment}{database}"


IDENTITY = argument("id", nargs="?", metavar="ID", help="the release to go back to (default: the one before)")
WITH_DATABASE = argument(
    "--with-database",
    action="store_true",
    default=argparse.SUPPRESS,
    help="go back to the release's database as well, without what was written since; that is dumped first",
)
#: the same before the action; not shown, for it belongs to one action
WITH_DATABASE_BEFORE = argument("--with-database", action="store_true", help=argparse.SUPPRESS)
VERB = verb_of(
    "release",
    "list the releases that have served, or go back to one",
    Action("list", "list those that have served, the active one first", list_all),
    Action("rollback", "go back to one, by hand", rollback, (IDENTITY, WITH_DATABASE)),
    options=(WITH_DATABASE_BEFORE,),
    changes_machine=True,
)
