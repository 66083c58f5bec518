"""`dcor-server make-release`: make the release that should run, without switching to it."""

from __future__ import annotations

import argparse

from dcor_pkg.ckan import checkouts, release_id
from dcor_pkg.ckan.readable_checkouts import ReadableCheckouts
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.kernel import runner, settings_file
from dcor_pkg.machine import facts
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs.converge import exit_code
from dcor_pkg.verbs.run_report import conclude, progress_of
from dcor_pkg.verbs.verb import Console, Verb


def run(host: Host, options: argparse.Namespace, console: Console) -> int:
    """Run the steps that make the release; the services keep running from the active one."""
    paths = _checkouts(host)
    release = ReleaseMade(release_id.of(facts.read(host), paths), checkouts=paths)
    outcomes = runner.run(
        [ReadableCheckouts(paths), release] if paths else [release], host, report=progress_of(options, console)
    )
    conclude(host, options, console, outcomes)
    return exit_code(outcomes)


def _checkouts(host: Host) -> tuple[str, ...]:
    """Return the checkouts of the release; none in a first installation, which makes it before it has the answers."""
    return checkouts.paths(settings_file.load(host)) if settings_file.read(host) is not None else ()


VERB = Verb("make-release", "make the release that should run, next to the active one", run, changes_machine=True)
