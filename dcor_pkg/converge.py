"""Make the machine as the settings say and record how it ended: the one way for apt, timers and administrators."""

from __future__ import annotations

from collections.abc import Callable

from dcor_pkg import preflight
from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import checkouts, held_release, migration_end, programs, release, release_id
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.ckan.search_core import SearchCore
from dcor_pkg.ckan.steps import recovery_steps
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import last_converge, pending, report, runner, served_version, settings_file
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import error_boundary, facts, language, lock
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Host
from dcor_pkg.plan import build_plan
from dcor_pkg.services.postgresql import cluster_upgrade
from dcor_pkg.services.postgresql import local as postgresql

Progress = Callable[[Outcome], None]
#: changes settings or data, or raises DcorError and changes nothing
Change = Callable[[], object]


def converge(
    host: Host, progress: Progress, change: Change = lambda: None, *, wait: float = lock.WAIT_SECONDS
) -> list[Outcome]:
    """Run the plan and return an outcome for each step; `progress` is called with each outcome as it happens.

    `change` is called first, under the same lock: what it has saved is what the plan applies. Raises DcorError before
    the first change when the settings or the machine make it useless to begin, and lock.Busy when another command holds
    the lock, also after `wait` seconds. A converge that does not succeed, for whatever reason, stays pending: the timer
    dcor-retry runs it again.
    """
    with lock.held(host, wait):
        change()
        for action in (pending.UPGRADE, pending.CONVERGE):
            pending.clear(host, action)
        outcomes: list[Outcome] = []
        try:
            with language.spoken(language.ENGLISH):  # of the log and the state file
                outcomes = _run(host, progress)
        finally:
            if not outcomes or report.failed(outcomes):
                pending.request(host, pending.CONVERGE)
    return outcomes


def dry_run(host: Host, progress: Progress) -> list[Outcome]:
    """Return what `converge` would do, without changing anything. Raises DcorError when the settings are invalid."""
    return runner.dry_run(build_plan(settings_file.load(host), facts.read(host)), host, report=progress)


def recover(host: Host, progress: Progress) -> None:
    """Complete or undo a migration that was cut off, so that 503 ends before apt does. A failure is logged.

    The converge that follows tries again. Where another command holds the lock, the migration is that one's.
    """
    if not migration_end.is_under_way(host):
        return
    try:
        with lock.held(host, 0.0):
            run(recovery_steps(settings_file.load(host)), host, report=_logged(host, progress))
    except DcorError as error:
        last_converge.log(
            host, [f"A migration that was cut off could not be ended: {error.reason} {error.hint}".strip()]
        )


def first_failure(outcomes: list[Outcome]) -> Outcome | None:
    """Return the outcome of the step that failed, or None."""
    return next((outcome for outcome in outcomes if outcome.result is Result.FAILED), None)


def _run(host: Host, progress: Progress) -> list[Outcome]:
    """Run the plan, and write into state file and log how it ended. Raises DcorError, also for a bug."""
    try:
        settings = settings_file.load(host)
        _settle_cluster(host, settings)
        preflight.check(host, settings)
        found = facts.read(host)
        outcomes = run(build_plan(settings, found), host, report=_logged(host, progress))
    except Exception as exception:  # noqa: BLE001 (a bug ends a converge too, and is recorded as its reason)
        error = error_boundary.as_dcor_error(host, exception)
        last_converge.record(host, error.reason, error.hint)
        last_converge.log(host, [f"The converge did not complete: {error.reason} {error.hint}".strip()])
        raise error from None
    _record(host, outcomes, found, checkouts.paths(settings))
    return outcomes


def _logged(host: Host, progress: Progress) -> Progress:
    """Return what passes outcomes on, and logs those of steps that did something."""

    def log_and_pass_on(outcome: Outcome) -> None:
        if outcome.result is not Result.UNCHANGED:
            last_converge.log(host, [report.line(outcome)])
        progress(outcome)

    return log_and_pass_on


def _hold(host: Host, step: str, wanted: str, reason: str) -> None:
    """Let the release that serves go on in the place of one that fails each time, and all else be done."""
    serving = programs.serving(host)
    if (
        step in (ReleaseMade.name, SearchCore.name, ActiveRelease.name)
        and serving is not None
        and serving.release != wanted
    ):
        held_release.hold_failing(host, wanted, serving.release, reason, last_converge.read(host).reason)


def _settle_cluster(host: Host, settings: Settings) -> None:
    """Complete or undo an upgrade of PostgreSQL that was cut off: as long as it is, no step can ask the database."""
    if (settled := cluster_upgrade.settle(host, postgresql.endpoint(settings))) is not None:
        last_converge.log(host, [settled])


def _record(host: Host, outcomes: list[Outcome], found: Facts, paths: tuple[str, ...]) -> None:
    failure = first_failure(outcomes)
    if failure is None:
        served_version.record(host, release_id.wanted(found, paths), release.ids(host))
        held_release.end(host, release_id.of(found, paths))
        last_converge.record(host)
    else:
        programs.put_back(host)
        reason = f"{failure.step}: {failure.reason}"
        _hold(host, failure.step, release_id.wanted(found, paths), reason)
        last_converge.record(host, reason, failure.hint)
    last_converge.log(host, [report.summary(outcomes)])
