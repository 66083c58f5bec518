"""`dcor-server ckan` and `dcor-server dcor`: upstream's commands in the active release, as CKAN's user."""

from __future__ import annotations

import argparse
import os
from typing import NoReturn

from dcor_pkg.ckan import release
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import active_release
from dcor_pkg.verbs.verb import Console, Verb, argument

ARGUMENTS = (argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENTS"),)


def run(host: Host, options: argparse.Namespace, console: Console) -> NoReturn:
    """Replace this process by the command, so that it owns the terminal, the signals and the exit code."""
    program = f"{release.directory(active_release.require(host))}/bin/{options.verb.name}"
    os.execv(program, [program, *options.arguments])


def _verb(name: str, summary: str) -> Verb:
    return Verb(name, summary, run, ARGUMENTS, passes_arguments_on=True)


VERBS = (
    _verb("ckan", "run CKAN's command as its user, in the active release"),
    _verb("dcor", "run DCOR's command as its user, in the active release"),
)
