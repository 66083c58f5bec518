"""`dcor-server check`: show of each step whether the machine is as the settings say."""

from __future__ import annotations

import argparse

from dcor_pkg import converge
from dcor_pkg.kernel import last_converge, report
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
    failure = str(last_converge.read(host))
    if failure and not options.json:
        console.out(failure)
    conclude(host, options, console, outcomes)
    return OK if all(outcome.result is Result.UNCHANGED for outcome in outcomes) else DRIFT


VERB = Verb("check", "show of each step whether the machine is right, or how it differs", run)
