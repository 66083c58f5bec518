"""`dcor-server converge`: make the machine as the settings say."""

from __future__ import annotations

import argparse
import functools
import time

from dcor_pkg import converge
from dcor_pkg.ckan import held_release, migration_state
from dcor_pkg.kernel import pending, report
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine import language, package_manager
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs.run_report import More, conclude, progress_of
from dcor_pkg.verbs.verb import DRIFT, FAILED, JSON, OK, Console, Verb, argument

#: the longest wait for apt and for another command: a new search index of many datasets takes up to a day
WAIT_SECONDS = 24 * 3600.0
WAIT = argument("--wait", action="store_true", help="wait until neither apt nor another command runs, as the timers do")
RETRY_RELEASE = argument(
    "--retry-release", action="store_true", help="try a release again from which this server has gone back"
)
DRY_RUN = argument("--dry-run", action="store_true", help="show what would be done and change nothing")


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Converge, or show what a converge would do."""
    progress = progress_of(options, console)
    if options.dry_run:
        outcomes = converge.dry_run(host, progress)
    else:
        change = functools.partial(_retry_release, host) if options.retry_release else lambda: None
        outcomes = _after_apt(host, progress, change) if options.wait else converge.converge(host, progress, change)
    conclude(host, options, console, outcomes)
    return exit_code(outcomes)


def _after_apt(host: Host, progress: converge.Progress, change: converge.Change) -> list[Outcome]:
    """Converge when no package manager works, and once more where packages were upgraded meanwhile.

    systemd starts no second run of a unit that still runs. A migration that was cut off ends first: apt may take hours,
    or ask something. Raises lock.Busy.
    """
    converge.recover(host, progress)
    outcomes = _after_this_apt(host, progress, change)
    while pending.is_pending(host, pending.UPGRADE):
        outcomes = _after_this_apt(host, progress, change)
    return outcomes


def _after_this_apt(host: Host, progress: converge.Progress, change: converge.Change) -> list[Outcome]:
    deadline = time.monotonic() + WAIT_SECONDS
    package_manager.wait_until_idle(host, WAIT_SECONDS)
    return converge.converge(host, progress, change, wait=max(0.0, deadline - time.monotonic()))


def converge_after(
    host: Host, options: argparse.Namespace, console: Console, change: converge.Change, more: More = dict
) -> int:
    """Let another verb change settings or data, and converge, both under the lock.

    `change` speaks the language of that verb, the converge English. `more`: returns what the verb adds to the JSON when
    all is done.
    """
    outcomes = converge.converge(host, progress_of(options, console), change)
    with language.spoken(language.ENGLISH):
        conclude(host, options, console, outcomes, more)
    return exit_code(outcomes)


def exit_code(outcomes: list[Outcome]) -> int:
    """Return 1 when a step failed, 3 when a dry run found drift, else 0."""
    if report.failed(outcomes):
        return FAILED
    return DRIFT if any(outcome.result is Result.WOULD_CHANGE for outcome in outcomes) else OK


def _retry_release(host: Host) -> None:
    """Let the release serve that should run, whatever has happened to it."""
    held_release.forget(host)
    migration_state.forget_failure(host)


VERB = Verb(
    "converge",
    "make the machine as the settings say; this is also the repair",
    run,
    (JSON, DRY_RUN, WAIT, RETRY_RELEASE),
    changes_machine=True,
)
