"""`dcor-server check`: show of each step whether the machine is as the settings say; or explain a known issue."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from dcor_pkg import converge
from dcor_pkg.kernel import last_converge, report, settings_file
from dcor_pkg.kernel.report import Notice
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.known_issues import catalogue, explanation
from dcor_pkg.machine import language
from dcor_pkg.machine.host import Host
from dcor_pkg.status import notices
from dcor_pkg.verbs import check_report, run_report
from dcor_pkg.verbs.verb import DRIFT, JSON, OK, Console, Verb, argument

#: in the place of a name: all of them
LIST = "list"


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Check each step and write a line for each; 3 when any differs. With `--explain`, explain and check nothing."""
    if options.explain is not None:
        _explain(options, console)
        return OK

    def show(outcome: Outcome) -> None:
        if not options.json:
            console.out(report.line(check_report.with_known_issue(outcome)))

    outcomes = converge.dry_run(host, show)
    noticed = notices.by_source(host, settings_file.load(host))
    for outcome in _lost_files(noticed):
        outcomes.append(outcome)
        show(outcome)
    found = [notice for it in noticed.values() for notice in it]
    code = OK if all(outcome.result is Result.UNCHANGED for outcome in outcomes) else DRIFT
    if options.json:
        console.out(check_report.as_json(host, outcomes, found, right=code == OK))
        return code
    failure = str(last_converge.read(host))
    if failure:
        console.out(failure)
    run_report.write(console, outcomes, found)
    return code


def _explain(options: argparse.Namespace, console: Console) -> None:
    """Explain one known issue, or list all. Raises DcorError for a name that there is not."""
    words = language.of(os.environ)
    if options.explain == LIST:
        found: Any = [explanation.as_data(entry) for entry in catalogue.ENTRIES]
        text = explanation.as_list(catalogue.ENTRIES, words)
    else:
        entry = catalogue.find(options.explain)
        found, text = explanation.as_data(entry), explanation.as_text(entry, words)
    console.out(json.dumps(found, indent=1, ensure_ascii=False) if options.json else text)


def _lost_files(noticed: Mapping[str, Sequence[Notice]]) -> list[Outcome]:
    """Return what no converge can bring back, in the form of a step."""
    name = notices.STORED_FILES
    return [Outcome(name, Result.FAILED, f"{it.file} {it.message}", it.hint) for it in noticed[name]]


EXPLAIN = argument(
    "--explain",
    nargs="?",
    const=LIST,
    metavar="NAME",
    help="explain a known issue, and check nothing; without a name list all",
)
VERB = Verb("check", "show of each step whether the machine is right, or how it differs", run, (JSON, EXPLAIN))
