"""`dcor-server status`: the health of the server on one screen."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel import last_converge, settings_file
from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import health, notices
from dcor_pkg.verbs.health import Part
from dcor_pkg.verbs.verb import DRIFT, OK, Console, Verb


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Examine each part; 3 when one has a problem, or when the last converge failed."""
    settings = settings_file.load(host)
    parts, last = health.examine(host, settings), last_converge.read(host)
    found = [*notices.not_applied(host, settings), *notices.collect(host, settings)]
    write = _write_json if options.json else _write_text
    write(console, settings, parts, last, found)
    return DRIFT if last.reason or any(part.problem for part in parts) else OK


def _write_json(
    console: Console, settings: Settings, parts: Sequence[Part], last: LastConverge, found: Sequence[Notice]
) -> None:
    status = {"parts": list(map(asdict, parts)), "converge": asdict(last), "notices": list(map(asdict, found))}
    console.out(json.dumps(status, indent=1))


def _write_text(
    console: Console, settings: Settings, parts: Sequence[Part], last: LastConverge, found: Sequence[Notice]
) -> None:
    console.out(f"https://{settings.hostname}/")
    for part in parts:
        console.out(str(part))
    for text in (str(last), *map(str, found)):
        if text:
            console.out(text)


VERB = Verb("status", "show on one screen: versions, services, health of each part, certificate, disks", run)
