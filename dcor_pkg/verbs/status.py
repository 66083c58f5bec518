"""`dcor-server status`: the health of the server on one screen, or for a program that watches it."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict

from dcor_pkg import converge
from dcor_pkg.kernel import last_converge, settings_file
from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.kernel.runner import Outcome
from dcor_pkg.machine import error_boundary, output
from dcor_pkg.machine.host import Host
from dcor_pkg.status import health, nagios, part, prometheus, text
from dcor_pkg.status.health import Examined
from dcor_pkg.verbs.verb import DRIFT, OK, Argument, Console, Verb

#: in the place of a file: standard output
OUTPUT = "-"
#: between two answers of --watch, and at least
WATCH_SECONDS, LEAST_SECONDS = 5.0, 1.0
#: moves to the first column of the first line, and erases all (ECMA-48, CUP and ED)
CLEAR = "\033[H\033[2J"


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Examine each part and write what was found in the wanted form; 3 when there is a problem, but see the forms."""
    if options.nagios:
        return _nagios(host, console)
    if options.prometheus is not None:
        return _prometheus(host, options.prometheus, console)
    if options.watch is not None:
        return _watch(host, options.watch, console)
    return (_json if options.json else _text)(host, console)


def _examine(host: Host, *, with_steps: bool = True) -> tuple[str, Examined, LastConverge]:
    """Return host name, parts and last converge. Raises DcorError."""
    settings = settings_file.load(host)
    last = last_converge.read(host)
    return settings.hostname, health.examine(host, settings, _compare if with_steps else None), last


def _compare(host: Host) -> list[Outcome]:
    """Return how each step differs, and change nothing."""
    return converge.dry_run(host, lambda _: None)


def _code(examined: Examined, last: LastConverge) -> int:
    return OK if not last.reason and all(it.problem is None for it in examined.parts) else DRIFT


def _text(host: Host, console: Console, begin: str = "") -> int:
    hostname, examined, last = _examine(host)
    lines = list(text.lines(hostname, examined, last, output.terminal()))
    console.out(begin + "\n".join(lines))
    return _code(examined, last)


def _json(host: Host, console: Console) -> int:
    hostname, examined, last = _examine(host)
    status = {
        "schema": part.SCHEMA,
        "hostname": hostname,
        "ok": _code(examined, last) == OK,
        "seconds": round(examined.seconds, 3),
        "parts": [it.as_json() for it in examined.parts],
        "converge": asdict(last),
        "notices": list(map(asdict, examined.notices)),
    }
    console.out(json.dumps(status, indent=1))
    return _code(examined, last)


def _nagios(host: Host, console: Console) -> int:
    """Write one line, and return an exit code of Nagios: what keeps us from asking is UNKNOWN there."""
    found = (nagios.UNKNOWN, "")

    def ask() -> int:
        nonlocal found
        found = nagios.result(*_examine(host)[1:])
        return OK

    def fail(reason: str, _: str) -> int:
        nonlocal found
        found = nagios.UNKNOWN, nagios.line(nagios.UNKNOWN, reason)
        return nagios.UNKNOWN

    error_boundary.guard(host, ask, fail)
    console.out(found[1])
    return found[0]


def _prometheus(host: Host, path: str, console: Console) -> int:
    """Write the metrics; 0 when that was done, since they say themselves what is wrong. Raises DcorError.

    Steps are not checked: the timer's unit is confined, so some of them would look different there, each five minutes.
    """
    metrics = prometheus.text(*_examine(host, with_steps=False)[1:])
    if path == OUTPUT:
        console.out(metrics.rstrip("\n"))
    else:
        prometheus.write(host, path, metrics)
    return OK


def _watch(host: Host, seconds: float, console: Console) -> int:
    """Write the text again and again, until Ctrl+C; return what the last one would have ended with."""
    code = OK
    begin = CLEAR if output.terminal() is not None else ""
    try:
        while True:
            code = _text(host, console, begin)
            time.sleep(seconds)
    except KeyboardInterrupt:
        return code


def _seconds(given: str) -> float:
    seconds = float(given)
    if not LEAST_SECONDS <= seconds <= 24 * 3600:
        raise argparse.ArgumentTypeError(f"{given} is not a number of seconds from {LEAST_SECONDS:g} to a day")
    return seconds


def _forms(parser: argparse.ArgumentParser) -> None:
    """Add the options for other forms, of which one can be given."""
    add: Callable[..., object] = parser.add_mutually_exclusive_group().add_argument
    add("--json", action="store_true", help="print the result as JSON")
    add("--nagios", action="store_true", help="print one line for Nagios; ends with 0, 1, 2 or 3 as its plugins do")
    add(
        "--prometheus",
        nargs="?",
        const=OUTPUT,
        metavar="FILE",
        help="write metrics for Prometheus to FILE, whose directory has to exist, or print them; ends with 0",
    )
    add(
        "--watch",
        nargs="?",
        type=_seconds,
        const=WATCH_SECONDS,
        metavar="SECONDS",
        help=f"show the status again after so many seconds (default {WATCH_SECONDS:g}), until Ctrl+C",
    )


FORMS: Argument = _forms
VERB = Verb("status", "show on one screen: versions, services, health of each part, certificate, disks", run, (FORMS,))
