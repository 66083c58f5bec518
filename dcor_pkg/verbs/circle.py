"""`dcor-server circle`: create circles, which CKAN calls organizations, and give users roles in them, for scripts."""

from __future__ import annotations

import argparse
import json

from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import _
from dcor_pkg.verbs import names, runtime_module
from dcor_pkg.verbs.verb import OK, Action, Console, argument, verb_of

MODULE = "circles"
ROLES = ("member", "editor", "admin")


def create(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Create a circle."""
    names.require(names.name, options.circle, _("The name"))
    if options.admin is not None:
        names.require(names.existing, options.admin, _("The user"))
    made = runtime_module.request(host, MODULE, "create", name=options.circle, admin=options.admin)
    text = _("The circle {circle} was created.")
    if options.admin:
        text = _("The circle {circle} was created; its admin is {admin}.")
    line = text.format(circle=options.circle, admin=options.admin)
    console.out(json.dumps(made, indent=1) if options.json else line)
    return OK


def add(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Give a user a role in a circle."""
    names.require(names.existing, options.circle, _("The circle"))
    names.require(names.existing, options.user, _("The user"))
    about = {"circle": options.circle, "user": options.user, "role": options.role}
    made = runtime_module.request(host, MODULE, "add", **about)
    text = _("{user} is in the circle {circle} as {role}.")
    if made["former"]:
        text = _("{user} is in the circle {circle} as {role}, instead of {former}.")
    line = text.format(**{**about, "former": made["former"]})
    console.out(json.dumps(made, indent=1) if options.json else line)
    return OK


CIRCLE = argument("circle", metavar="CIRCLE", help="the name of the circle, as in the address of its page")
VERB = verb_of(
    "circle",
    "create circles, and add users to them",
    Action(
        "create",
        "create a circle",
        create,
        (CIRCLE, argument("--admin", metavar="USER", help="the user who manages it (default: sysadmins only)")),
    ),
    Action(
        "add",
        "give a user a role in a circle, instead of a former one",
        add,
        (
            CIRCLE,
            argument("user", metavar="USER", help="the name of the user"),
            argument("--role", required=True, choices=ROLES, metavar="|".join(ROLES)),
        ),
    ),
    translated=True,
)
