"""`dcor-server token create | list | revoke | reissue`: files by which users' programs know this server and sign in."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine import lock, output
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _, marked
from dcor_pkg.tokens import access_file, issued, served
from dcor_pkg.tokens.issued import Issued
from dcor_pkg.verbs import names, token_making
from dcor_pkg.verbs.token_making import Show
from dcor_pkg.verbs.verb import MAX_DAYS, OK, Action, Argument, Console, argument, verb_of

DAY_SECONDS = 86400
DAYS = 365
LIST = marked("dcor-server token list shows the access tokens.")


def create(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Make an access token for a user."""
    names.require(names.name, options.name, _("The user"))
    _require_terminal(options)
    path = _absolute(options.output or f"{options.name}{access_file.ENDING}")
    with lock.held(host):
        current = served.require_readable(host, settings_file.load(host))
        made = issued.new(options.name, _end(options.days or DAYS), current)
        token_making.make(host, current, made, path, _show(options, console))
    return OK


def list_all(host: Host, options: argparse.Namespace, console: Console) -> int:
    """List the access tokens that were made and not revoked, or those that are void."""
    wanted = issued.void(host, settings_file.load(host)) if options.outdated else issued.read(host)
    used = token_making.last_used(host) if wanted else {}
    rows = [_row(it, used) for it in wanted if it.api_token in used]
    if options.json:
        console.out(json.dumps(rows, indent=1))
        return OK
    for row in rows:
        console.out(_line(row))
    if not rows:
        console.out(_("No access token is outdated.") if options.outdated else _("There is no access token."))
    return OK


def revoke(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Revoke an access token, by its id."""
    identity: str = options.id
    with lock.held(host):
        found = [it for it in issued.read(host) if it.id == identity]
        if not found:
            raise DcorError(_("There is no access token {id}.").format(id=identity), _(LIST))
        token_making.revoke(host, found)
    said = {"id": identity, "user": found[0].user, "revoked": True}
    line = _("The access token {id} of {user} is revoked.").format(**said)
    console.out(json.dumps(said) if options.json else line)
    return OK


def reissue(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Make new access tokens for those that are void, and revoke these; each is valid as long as the old one was."""
    if options.name is not None:
        names.require(names.name, options.name, _("The user"))
    _require_terminal(options)
    directory = _absolute(options.output)
    with lock.held(host):
        outdated = _outdated(host, options.name)
        current = served.require_readable(host, settings_file.load(host))
        for old in outdated:
            made = issued.new(old.user, _end(options.days) if options.days else old.expires, current)
            path = str(PurePosixPath(directory, f"{made.user}-{made.id}{access_file.ENDING}"))
            token_making.make(host, current, made, path, _show(options, console))
            token_making.revoke(host, [old])
    if not outdated and not options.json:
        console.out(_("No access token is outdated, so none was made."))
    return OK


def _outdated(host: Host, user: str | None) -> list[Issued]:
    """Return what has to be made anew; what users have revoked in CKAN, and what is of users who are gone, is not."""
    found = [it for it in issued.void(host, settings_file.load(host)) if user in (None, it.user)]
    used = token_making.last_used(host) if found else {}
    if gone := [it for it in found if it.api_token not in used]:
        token_making.revoke(host, gone)
    return [it for it in found if it.api_token in used]


def _require_terminal(options: argparse.Namespace) -> None:
    if not output.is_seen() and not options.show_password:
        raise DcorError(
            _("The password of an access token is shown once, on a terminal, and standard output is none."),
            _("Run it on a terminal. To write the password to standard output all the same: --show-password"),
        )


def _absolute(path: str) -> str:
    """Return a path from the root on; `..` and links are left to whoever opens it."""
    return str(PurePosixPath(Path.cwd(), path)) + ("/" if path.endswith("/") else "")


def _end(days: int) -> int:
    return issued.now() + days * DAY_SECONDS


def _show(options: argparse.Namespace, console: Console) -> Show:
    def show(made: Issued, path: str, password: Secret) -> None:
        if options.json:
            console.out(json.dumps({**_row(made, {}), "file": path, "password": password.reveal()}))
            return
        line = _("{file}: access token {id} of {user}, valid until {day}")
        console.out(line.format(file=path, id=made.id, user=made.user, day=_day(made.expires)))
        console.out(_("Its password is shown only now: {password}").format(password=password.reveal()))
        console.out(_("Hand over file and password in two different ways."))

    return show


def _row(token: Issued, used: Mapping[str, int | None]) -> dict[str, Any]:
    """Return an access token for JSON; what CKAN calls it is of no use there."""
    row = {**asdict(token), "expired": token.is_expired, "used": used.get(token.api_token)}
    return {name: value for name, value in row.items() if name != "api_token"}


def _line(row: Mapping[str, Any]) -> str:
    made = _("made on {day}").format(day=_day(row["made"]))
    end = (_("expired on {day}") if row["expired"] else _("expires on {day}")).format(day=_day(row["expires"]))
    last = _("used last on {day}").format(day=_day(row["used"])) if row["used"] else _("never used")
    server = _("for {hostname}, certificate {fingerprint}").format(**row)
    return f"{row['id']}  {row['user']}: {made}, {end}, {last}\n    {server}"


def _day(moment: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days from 1 to {MAX_DAYS:g}")
    return days


SHOW = argument("--show-password", action="store_true", help="write the password to standard output, terminal or not")


def _days_argument(default: str) -> Argument:
    return argument("--days", type=_days, metavar="N", help=f"valid so many days from now on (default: {default})")


VERB = verb_of(
    "token",
    "make, list and revoke access tokens for users' programs",
    Action(
        "create",
        "make one for a user, and show its password",
        create,
        (
            _days_argument(str(DAYS)),
            argument("--output", metavar="F", help="the new file (default: NAME.dcor-access)"),
            SHOW,
            argument("name", metavar="NAME", help="the user"),
        ),
    ),
    Action(
        "list",
        "list those that were made",
        list_all,
        (argument("--outdated", action="store_true", help="those with another certificate or host name only"),),
    ),
    Action("revoke", "revoke one", revoke, (argument("id", metavar="ID", help="as the list shows it"),)),
    Action(
        "reissue",
        "make new ones for those that are outdated, which are revoked",
        reissue,
        (
            _days_argument("as the old one"),
            argument("--output", metavar="F", default=".", help="the directory of the new files (default: this one)"),
            SHOW,
            argument("name", nargs="?", metavar="NAME", help="of this user only"),
        ),
    ),
    # SIGTERM is an interruption as well: then there is neither a file nor a token.
    changes_machine=True,
    translated=True,
)
