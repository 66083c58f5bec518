"""The command `dcor-server`: arguments in, text and exit code out; the only place that prints or exits."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from dcor_pkg import converge
from dcor_pkg.answers import settings
from dcor_pkg.ckan import release, release_id
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file, report, settings_file
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import error_boundary, facts
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import assignments, change_settings, health, mail, move_data, nightly, notices

OK, FAILED, USAGE, NOT_RIGHT = 0, 1, 2, 3

Verb = Callable[[Host, argparse.Namespace], int]
#: adds itself to the parser of a verb
Argument = Callable[[argparse.ArgumentParser], object]

EPILOG = """\
exit codes: 0 all is right, 1 failed, 2 wrong usage, 3 not as it should be (drift, unhealthy)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    os.umask(0o022)
    if os.geteuid() != 0:
        print("dcor-server: only root may do that.", file=sys.stderr)
        return FAILED
    verb: Verb = options.verb
    try:
        return error_boundary.guard(Host(), lambda: verb(Host(), options), _failed)
    except KeyboardInterrupt:
        return _failed("interrupted", "dcor-server converge goes on where it stopped.")


def _failed(reason: str, hint: str) -> int:
    print(f"dcor-server: {reason}", file=sys.stderr)
    if hint:
        print(f"    {hint}", file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dcor-server", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for name, (verb, about, arguments) in VERBS.items():
        sub = verbs.add_parser(name, help=about, description=about)
        sub.set_defaults(verb=verb, name=name)
        for argument in arguments:
            argument(sub)
    return parser


def _teller(options: argparse.Namespace) -> Callable[[Outcome], None]:
    """Return what tells of each step that did something, when it has done it."""

    def tell(outcome: Outcome) -> None:
        if outcome.result is not Result.UNCHANGED and not options.json:
            print(report.line(outcome), flush=True)

    return tell


def _converge(host: Host, options: argparse.Namespace) -> int:
    tell, dry_run = _teller(options), getattr(options, "dry_run", False)
    outcomes = converge.dry_run(host, tell) if dry_run else converge.converge(host, tell)
    _conclude(host, options, outcomes)
    if report.failed(outcomes):
        return FAILED
    return NOT_RIGHT if any(o.result is Result.WOULD_CHANGE for o in outcomes) else OK


def _set(host: Host, options: argparse.Namespace) -> int:
    answers, given = assignments.parse(options.assignments)
    change_settings.take(host, answers, given)
    return _converge(host, options)


def _move_data(host: Host, options: argparse.Namespace) -> int:
    move_data.move(
        host, options.directory, lambda line: print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
    )
    return _converge(host, options)


def _check(host: Host, options: argparse.Namespace) -> int:
    outcomes = converge.dry_run(host, lambda outcome: None if options.json else print(report.line(outcome)))
    if not options.json:
        _tell_failure(converge.state(host))
    _conclude(host, options, outcomes)
    return OK if all(o.result is Result.UNCHANGED for o in outcomes) else NOT_RIGHT


def _conclude(host: Host, options: argparse.Namespace, outcomes: list[Outcome]) -> None:
    told = notices.collect(host, settings_file.load(host))
    if options.json:
        more = {"changed_here": managed_file.changed_by_admin(host), "converge": asdict(converge.state(host))}
        print(report.as_json(outcomes, told, **more))
        return
    for notice in told:
        print(notice)
    print(report.summary(outcomes))


def _status(host: Host, options: argparse.Namespace) -> int:
    wanted = settings_file.load(host)
    parts = health.examine(host, wanted)
    state = converge.state(host)
    told = [*notices.not_applied(host, wanted), *notices.collect(host, wanted)]
    if options.json:
        found = {"parts": list(map(asdict, parts)), "converge": asdict(state), "notices": list(map(asdict, told))}
        print(json.dumps(found, indent=1))
    else:
        print(f"https://{wanted.hostname}/")
        for part in parts:
            print(f"{'!' if part.fault else ' '} {part.name:38} {part.fault or part.about or 'well'}")
        _tell_failure(state)
        for notice in told:
            print(notice)
    return NOT_RIGHT if state.reason or any(part.fault for part in parts) else OK


def _tell_failure(state: converge.State) -> None:
    """Tell why the last converge failed, if it did, in the words of what failed."""
    if state.reason:
        print(f"! the last converge failed: {state.reason}")
        for line in state.hint.splitlines():
            print(f"    {line}")


def _get(host: Host, options: argparse.Namespace) -> int:
    values = settings.as_answers(settings_file.load(host))
    chosen = values if options.key is None else {options.key: values[options.key]}
    if options.json:
        print(json.dumps(chosen, indent=1))
    else:
        for key, value in chosen.items():
            print(value if options.key else f"{key} = {value}")
    return OK


def _make_release(host: Host, options: argparse.Namespace) -> int:
    step = ReleaseMade(release_id.wanted(facts.read(host)))
    outcomes = run([step], host, tell=_teller(options))
    _conclude(host, options, outcomes)
    return FAILED if report.failed(outcomes) else OK


def _nightly(host: Host, options: argparse.Namespace) -> int:
    return OK if nightly.run(host, lambda fault: print(fault, file=sys.stderr)) else FAILED


def _report_failure(host: Host, options: argparse.Namespace) -> int:
    print(mail.report_failure(host, options.unit))
    return OK


def _inside(host: Host, options: argparse.Namespace) -> int:
    """Replace this process, so that terminal, signals and exit code are the program's own."""
    active = release.active(host)
    if active is None:
        raise DcorError("No release is active yet.", hint="dcor-server converge makes one.")
    program = f"{release.directory(active)}/bin/{options.name}"
    os.execv(program, [program, *options.arguments])


def _argument(*names: str, **how: Any) -> Argument:
    return lambda parser: parser.add_argument(*names, **how)


JSON = _argument("--json", action="store_true", help="tell it as JSON")
DRY_RUN = _argument("--dry-run", action="store_true", help="tell what would be done, and touch nothing")
KEY = _argument("key", nargs="?", choices=settings.KEYS, metavar="KEY")
ASSIGNMENTS = _argument("assignments", nargs="+", metavar="KEY=VALUE", help=assignments.HELP)
NEW = _argument("directory", metavar="NEW", help="an empty directory, or one that is not there yet")
UNIT = _argument("unit", metavar="UNIT")
ARGUMENTS = _argument("arguments", nargs=argparse.REMAINDER)

#: what each does, how it is told in the help, and what it is given
VERBS: dict[str, tuple[Verb, str, tuple[Argument, ...]]] = {
    "status": (_status, "one screen: versions, services, deep health of each part, certificate, disk", (JSON,)),
    "check": (_check, "each step: right, or how it differs", (JSON,)),
    "converge": (_converge, "make the machine as the settings say; this is also the repair", (JSON, DRY_RUN)),
    "get": (_get, "show the settings", (JSON, KEY)),
    "set": (_set, "change settings, all that are named at once, and converge", (JSON, ASSIGNMENTS)),
    "move-data": (_move_data, "move the data to another directory, and go on there", (JSON, NEW)),
    "make-release": (_make_release, "make the release that is wanted, beside the one that runs", (JSON,)),
    "nightly": (_nightly, "run the regular jobs of CKAN and DCOR, as the timer does", (JSON,)),
    "report-failure": (_report_failure, "mail the administrator what a unit has said, as systemd does", (JSON, UNIT)),
    "ckan": (_inside, "run CKAN's command as its user, in the active release", (ARGUMENTS,)),
    "dcor": (_inside, "run DCOR's command as its user, in the active release", (ARGUMENTS,)),
}


if __name__ == "__main__":
    sys.exit(main())
