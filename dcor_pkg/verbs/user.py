"""`dcor-server user`: create users, give them links by which they choose a password, disable them.

No account ever has a password that somebody else has chosen.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError, printable
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _, marked
from dcor_pkg.verbs import mail, names, runtime_module, user_mail
from dcor_pkg.verbs.run_report import message
from dcor_pkg.verbs.verb import OK, Action, Console, argument, verb_of

MODULE = "users"
#: as dcor_runtime.reset_key has it
DAYS = 3
BY_HAND = marked("Pass the link on to the user yourself.")


@dataclass(frozen=True)
class State:
    """What a user is now, in a sentence: where that is new, and where it was so before."""

    new: str
    old: str


DISABLED = State(marked("{user} is disabled."), marked("{user} is disabled already."))
ENABLED = State(marked("{user} is enabled."), marked("{user} is enabled already."))
SYSADMIN = State(marked("{user} is a sysadmin."), marked("{user} is a sysadmin already."))
NO_SYSADMIN = State(marked("{user} is no sysadmin."), marked("{user} is no sysadmin already."))
#: as the list shows them; the last one has not set a password yet, in CKAN
STATES = (marked("active"), marked("disabled"), marked("pending"))


def create(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Create a user, and show the link."""
    names.require(names.name, options.name, _("The name"))
    names.require(names.email, options.email, _("The address"))
    names.require(names.full_name, options.full_name, _("The full name"))
    about = {"email": options.email, "full_name": options.full_name, "sysadmin": options.sysadmin}
    made = runtime_module.request(host, MODULE, "create", name=options.name, **about)
    return _give_link(host, options, console, made, _("The user {user} was created.").format(user=options.name))


def reset_link(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Give a user a new link."""
    made = _request(host, options, "link")
    return _give_link(host, options, console, made, _("Links from before are void."))


def _give_link(
    host: Host, options: argparse.Namespace, console: Console, made: Mapping[str, Any], headline: str
) -> int:
    """Show the link, which leads to the server's name whatever host a request has named, and mail it if that works."""
    settings = settings_file.load(host)
    link = f"https://{settings.hostname}{made['path']}"
    problem = _mail(settings, made, link)
    if options.json:
        console.out(json.dumps({"user": made["user"], "link": link, "mailed": problem is None}, indent=1))
    else:
        about = _("With this link {user} chooses a password, once and within {days} days:")
        console.out(f"{headline} {about.format(user=made['user'], days=DAYS)}")
        console.out(f"    {link}")
    if problem is not None:
        console.err(message(problem, _(BY_HAND)))
    elif not options.json:
        console.out(_("It was mailed to {address}.").format(address=printable(made["email"])))
    return OK


def _mail(settings: Settings, made: Mapping[str, Any], link: str) -> str | None:
    """Mail the link to the user, and return why that was not done, or None."""
    if not settings.mail_relay:
        return _("No mail was sent, because the setting mail-relay is empty.")
    if not made["email"] or names.email.problem(made["email"]):
        return _("No mail was sent, because {user} has no valid address.").format(user=made["user"])
    site = f"https://{settings.hostname}/"
    text = user_mail.text(site=site, user=made["user"], days=DAYS, link=link, contact=settings.email)
    try:
        mail.send(settings, user_mail.subject(), text, made["email"])
    except DcorError as error:
        return error.reason
    return None


def _request(host: Host, options: argparse.Namespace, do: str, **arguments: Any) -> Any:
    names.require(names.existing, options.name, _("The name"))
    return runtime_module.request(host, MODULE, do, name=options.name, **arguments)


def _conclude(options: argparse.Namespace, console: Console, result: Mapping[str, Any], state: State) -> int:
    """Write what a user is now, and whether that is new."""
    line = _(state.new if result["changed"] else state.old).format(user=result["user"])
    console.out(json.dumps(result, indent=1) if options.json else line)
    return OK


def disable(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Disable a user at once."""
    result = _request(host, options, "disable")
    code = _conclude(options, console, result, DISABLED)
    if not options.json:
        line = _("Sessions are not valid any more; API tokens that were deleted: {number}.")
        console.out(line.format(number=result["tokens"]))
    return code


def enable(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Enable a user."""
    return _conclude(options, console, _request(host, options, "enable"), ENABLED)


def sysadmin(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Let a user be a sysadmin, or not."""
    is_on = options.on_off == "on"
    result = _request(host, options, "sysadmin", on=is_on)
    return _conclude(options, console, result, SYSADMIN if is_on else NO_SYSADMIN)


def show(host: Host, options: argparse.Namespace, console: Console) -> int:
    """List the users."""
    found = runtime_module.request(host, MODULE, "show")
    if options.json:
        console.out(json.dumps(found, indent=1))
        return OK
    for user in found["users"]:
        console.out(printable(_line(user)))
    if not found["users"]:
        console.out(
            _("There is no user yet. For the first one: dcor-server user create NAME --email ADDRESS --sysadmin")
        )
    return OK


def _line(user: Mapping[str, Any]) -> str:
    seen, role = _("never seen"), [_("sysadmin")] if user["sysadmin"] else []
    if user["last_active"]:
        seen = _("last seen {day}").format(day=user["last_active"][:10])
    state = _(user["state"])
    return ", ".join((f"{user['name']}  {user['full_name']} <{user['email']}>", state, *role, seen))


NAME = argument("name", metavar="NAME", help="the name of the user")
VERB = verb_of(
    "user",
    "create, list, disable and enable users, and give them links by which they choose a password",
    Action(
        "create",
        "create a user, and print the link by which the user chooses a password",
        create,
        (
            NAME,
            argument("--email", metavar="ADDRESS", required=True, help="the user's address"),
            argument("--full-name", metavar="NAME", default="", help="the user's name, as pages show it"),
            argument("--sysadmin", action="store_true", help="who may do everything in CKAN"),
        ),
    ),
    Action("list", "list the users", show),
    Action(
        "disable",
        "end the sessions of a user, who cannot sign in any more, and delete the API tokens",
        disable,
        (NAME,),
    ),
    Action("enable", "let a user sign in again", enable, (NAME,)),
    Action("reset-link", "print a new link, valid for three days; links from before are void", reset_link, (NAME,)),
    Action(
        "sysadmin",
        "let a user be a sysadmin, or not",
        sysadmin,
        (NAME, argument("on_off", choices=("on", "off"), metavar="on|off")),
    ),
    translated=True,
)
