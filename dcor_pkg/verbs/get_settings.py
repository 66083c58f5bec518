"""`dcor-server get`: show the settings."""

from __future__ import annotations

import argparse
import json

from dcor_pkg.answers import settings
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs.verb import JSON, OK, Console, Verb, argument

KEY = argument("key", nargs="?", choices=settings.KEYS, metavar="KEY", help="show only this setting's value")


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Write `KEY = VALUE` for each setting, or only the value of the one that is named."""
    values = settings.as_answers(settings_file.load(host))
    chosen = values if options.key is None else {options.key: values[options.key]}
    if options.json:
        console.out(json.dumps(chosen, indent=1))
    else:
        for key, value in chosen.items():
            console.out(value if options.key else f"{key} = {value}")
    return OK


VERB = Verb("get", "show the settings, or one of them", run, (JSON, KEY))
