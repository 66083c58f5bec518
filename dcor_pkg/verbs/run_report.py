"""Report a run of steps while it happens and when it has ended; shared by the verbs and the maintainer scripts."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

from dcor_pkg.kernel import last_converge, managed_file, report, settings_file
from dcor_pkg.kernel.report import Notice
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine.host import Host
from dcor_pkg.status import notices
from dcor_pkg.verbs.verb import Console

#: returns what a verb adds to the JSON of a run, by its keys
More = Callable[[], Mapping[str, object]]


def message(reason: str, hint: str = "") -> str:
    """Return a failure as a message: the reason, then each line of the hint indented."""
    return "\n    ".join([f"dcor-server: {reason}", *hint.splitlines()])


def progress(write: Callable[[str], None]) -> Callable[[Outcome], None]:
    """Return a function that writes a line for each step that did something."""

    def show(outcome: Outcome) -> None:
        if outcome.result is not Result.UNCHANGED:
            write(report.line(outcome))

    return show


def progress_of(options: argparse.Namespace, console: Console) -> Callable[[Outcome], None]:
    """Return what shows the progress of a verb: nothing where standard output is JSON."""
    return (lambda _: None) if options.json else progress(console.out)


def conclude(
    host: Host, options: argparse.Namespace, console: Console, outcomes: list[Outcome], more: More = dict
) -> None:
    """Write the notices and the summary, or everything and `more` as JSON. Without settings nothing is noticed."""
    found = notices.collect(host, settings_file.load(host)) if settings_file.read(host) is not None else []
    if options.json:
        state = {"changed_here": managed_file.changed_by_admin(host), "converge": asdict(last_converge.read(host))}
        console.out(report.as_json(outcomes, found, **state, **more()))
        return
    write(console, outcomes, found)


def write(console: Console, outcomes: Sequence[Outcome], found: Iterable[Notice]) -> None:
    """Write notices, and the summary of a run."""
    for notice in found:
        console.out(str(notice))
    console.out(report.summary(outcomes))
