"""`dcor-server check`: show of each step whether the machine is as the settings say."""

from __future__ import annotations

import argparse

from dcor_pkg import converge
from dcor_pkg.ckan import stored_files
from dcor_pkg.kernel import last_converge, report, settings_file
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs.run_report import conclude
from dcor_pkg.verbs.verb import DRIFT, OK, Console, Verb


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Check each step and write a line for each; 3 when any differs."""

    def show(outcome: Outcome) -> None:
        if not options.json:
            console.out(report.line(outcome))

    outcomes = converge.dry_run(host, show)
    for outcome in _lost_files(host):
        outcomes.append(outcome)
        show(outcome)
    failure = str(last_converge.read(host))
    if failure and not options.json:
        console.out(failure)
    conclude(host, options, console, outcomes)
    return OK if all(outcome.result is Result.UNCHANGED for outcome in outcomes) else DRIFT


def _lost_files(host: Host) -> list[Outcome]:
    """Return what no converge can bring back, in the form of a step."""
    found = stored_files.notices(host, settings_file.load(host))
    return [Outcome("stored files", Result.FAILED, f"{it.file} {it.message}", it.hint) for it in found]


VERB = Verb("check", "show of each step whether the machine is right, or how it differs", run)
