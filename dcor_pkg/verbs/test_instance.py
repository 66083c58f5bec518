"""`dcor-server test-instance`: a second CKAN beside the one that serves, and upstream's own tests in it."""

from __future__ import annotations

import argparse
import json
import os

from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine import lock, output
from dcor_pkg.machine.host import Host
from dcor_pkg.test_instance import checkout, environment, making, record, results, room, suites
from dcor_pkg.test_instance.places import DATABASE, HOME, INI, LOCK
from dcor_pkg.test_instance.results import Results
from dcor_pkg.test_instance.suites import Suite
from dcor_pkg.verbs import active_release
from dcor_pkg.verbs.verb import FAILED, OK, Action, Console, argument, verb_of

ALL = "all"
LEFT = (
    f"Database and role {DATABASE} stay, because PostgreSQL does not answer; when it does, remove them by this command, "
    "or the next one that is made takes their place."
)
#: for another command to end; a suite takes minutes
WAIT_SECONDS = 5.0


def create(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Make a test instance."""
    active = active_release.require(host)
    report = console.err if options.json else console.out
    with lock.held(host, WAIT_SECONDS, LOCK):
        making.create(host, settings_file.load(host), active, report)
    line = f"The test instance is ready; its configuration is {INI}."
    console.out(json.dumps({"message": line, "configuration": INI, "release": active}) if options.json else line)
    return OK


def remove(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Remove the test instance, if there is one."""
    with lock.held(host, WAIT_SECONDS, LOCK):
        was_there = host.exists(HOME)
        is_whole = making.remove(host)
    line = "The test instance was removed." if was_there else "There is no test instance."
    if was_there and not is_whole:
        line = f"{line} {LEFT}"
    console.out(json.dumps({"message": line}) if options.json else line)
    return OK


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Run one suite or all of them, and return 1 where a test fails that no known cause explains."""
    report = console.err if options.json else console.out
    with lock.held(host, WAIT_SECONDS, LOCK):
        instance = record.required(host, release.active(host))
        chosen = _chosen(host, instance.release, options.suite)
        found = []
        for suite in chosen:
            found.append(_run(host, instance.release, suite, options, console))
            if len(chosen) > 1:  # what follows may take long, and may fail
                console.err(found[-1].summary)
    if options.json:
        console.out(json.dumps({"suites": [each.as_json() for each in found]}, indent=1))
    for each in found:
        for line in each.lines():
            report(line)
    return FAILED if any(each.unexpected for each in found) else OK


def _run(host: Host, active: str, suite: Suite, options: argparse.Namespace, console: Console) -> Results:
    """Run a suite. On a terminal pytest's lines are shown as they come."""
    room.require_for_suite(host)
    where = f" of {suite.checkout}" if suite.checkout else ""
    console.err(f"{suite.name}{where}: running; pytest's output is in {suites.log(suite.name)}")
    progress = console.out if output.is_seen() and not options.json else None
    with room.explained(host):
        report = suites.run(host, settings_file.load(host), suite, options.pytest, progress)
        found = results.read(suite.name, environment.version(host, active, suite.name), report)
    if found.unexpected:
        room.require_left(host, suite.name, [test.reason for test in found.unexpected])
    return found


def _chosen(host: Host, active: str, wanted: str) -> list[Suite]:
    """Return the suites that are wanted, with their modules in the environment. Raises DcorError."""
    if "/" in wanted:
        path = os.path.normpath(wanted)
        suites.require_visible(settings_file.load(host), path)
        with room.explained(host):
            name = checkout.install(host, active, path).name
        return [Suite(name, f"{path}/tests", path)]
    names = _names(host, wanted)
    checkout.remove(host)
    return [suites.shipped(name) for name in names]


def _names(host: Host, wanted: str) -> list[str]:
    """Return the names of the suites. Raises DcorError for one that there is not."""
    known = suites.names(host)
    if wanted == ALL:
        return known
    if wanted not in known:
        raise DcorError(
            f"There is no suite {wanted!r}.", f"There are: {', '.join(known)}; {ALL}; or the path of a checkout."
        )
    return [wanted]


VERB = verb_of(
    "test-instance",
    "a second CKAN, and the tests of DCOR's extensions in it",
    Action("create", "make it, beside the one that serves", create),
    Action(
        "run",
        "run the tests of an extension in it",
        run,
        (
            argument(
                "suite", metavar="NAME", help=f"an extension, such as ckanext-dc_view; {ALL}; or the path of a checkout"
            ),
            argument("pytest", nargs="*", metavar="ARGUMENT", help="after --, arguments of pytest, such as -k word"),
        ),
    ),
    Action("remove", "remove it, and all that its tests have left", remove),
)
