"""`dcor-server status`: the health of the server on one screen."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel import last_converge, settings_file
from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.machine import output
from dcor_pkg.machine.host import Host
from dcor_pkg.status import health, part, text
from dcor_pkg.status.health import Examined
from dcor_pkg.verbs.verb import DRIFT, OK, Console, Verb


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Examine each part; 3 when one has a problem, or when the last converge failed."""
    settings = settings_file.load(host)
    last = last_converge.read(host)
    examined = health.examine(host, settings)
    write = _write_json if options.json else _write_text
    write(console, settings, examined, last)
    return OK if _is_well(examined, last) else DRIFT


def _is_well(examined: Examined, last: LastConverge) -> bool:
    return not last.reason and all(it.problem is None for it in examined.parts)


def _write_json(console: Console, settings: Settings, examined: Examined, last: LastConverge) -> None:
    status = {
        "schema": part.SCHEMA,
        "hostname": settings.hostname,
        "ok": _is_well(examined, last),
        "seconds": round(examined.seconds, 3),
        "parts": [it.as_json() for it in examined.parts],
        "converge": asdict(last),
        "notices": list(map(asdict, examined.notices)),
    }
    console.out(json.dumps(status, indent=1))


def _write_text(console: Console, settings: Settings, examined: Examined, last: LastConverge) -> None:
    for line in text.lines(settings.hostname, examined, last, output.terminal()):
        console.out(line)


VERB = Verb("status", "show on one screen: versions, services, health of each part, certificate, disks", run)
