"""`dcor-server set`: change settings, several as one change, and converge."""

from __future__ import annotations

import argparse

from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import assignments, change_settings
from dcor_pkg.verbs.converge import converge_after
from dcor_pkg.verbs.verb import JSON, Console, Verb, argument

ASSIGNMENTS = argument("assignments", nargs="+", metavar="KEY=VALUE", help=assignments.HELP)


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Validate and save the settings, then converge."""
    answers, given = assignments.parse(options.assignments)
    return converge_after(host, options, console, lambda: change_settings.take(host, answers, given))


VERB = Verb("set", "change settings, all that are named at once, and converge", run, (JSON, ASSIGNMENTS), True)
