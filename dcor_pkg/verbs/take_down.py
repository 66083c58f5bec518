"""Take the site down when the package is removed: data, database and configuration stay."""

from __future__ import annotations

from collections.abc import Callable

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import admin_commands, migration_end, migration_state, unit
from dcor_pkg.ckan.former_supervisor import NoFormerPrograms
from dcor_pkg.ckan.strays import NoStrays
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import last_converge, managed_file, settings_file
from dcor_pkg.kernel.instance import INSTANCE
from dcor_pkg.kernel.timers import TIMERS
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import DIVERTED_SUFFIX, PACKAGED_CKAN, PROGRAMS
from dcor_pkg.nginx import take_down as nginx
from dcor_pkg.plan import removal_plan
from dcor_pkg.services import endpoints, engines
from dcor_pkg.status import prometheus
from dcor_pkg.test_instance import making as test_instance
from dcor_pkg.test_instance.places import HOME as TEST_INSTANCE

#: units that would start again what is stopped here, or work with it
AUTOMATIC = (
    *TIMERS,
    *("dcor-retry.service", "dcor-converge.service", "dcor-nightly.service", "dcor-watch.service"),
    "dcor-metrics.service",
)
#: more than the unit's own TimeoutStopSec
STOP_TIMEOUT_SECONDS = 900.0


def take_down(host: Host, report: Callable[[str, str], object]) -> None:
    """Take down each part, also when another one fails; `report` is called with reason and hint of each failure."""
    for part in PARTS:
        try:
            part(host)
        except DcorError as error:
            report(error.reason, error.hint)


def _plan_removal(host: Host) -> None:
    """Write down what a purge may delete, by the settings of now: afterwards nobody can read them."""
    if not host.exists(INSTANCE):
        return
    step = removal_plan(settings_file.load(host))
    if step.check(host) is not None:
        step.apply(host)


def _remove_test_instance(host: Host) -> None:
    if host.exists(TEST_INSTANCE):
        test_instance.remove(host)


def _stop_automatic_units(host: Host) -> None:
    host.run("systemctl", "stop", *AUTOMATIC)


def _stop_programs(host: Host) -> None:
    """Stop CKAN; job workers may finish the job that they are working on."""
    host.run("systemctl", "disable", "--now", "--quiet", unit.UNIT, timeout=STOP_TIMEOUT_SECONDS)
    for name in host.names(PROGRAMS):
        managed_file.remove(host, f"{PROGRAMS}/{name}")
    for step in (NoFormerPrograms(), NoStrays()):
        if step.check(host) is not None:
            step.apply(host)


def _restore_database(host: Host) -> None:
    """Let what cuts off a migration leave the database as it was: a purge forgets it, and may preserve the data."""
    act = migration_state.under_way(host)
    if act is not None and not act.turned:
        migration_end.restore(host, act, endpoints.of(settings_file.load(host)).database)


def _stop_engines(host: Host) -> None:
    ours = [engine for engine in engines.ENGINES if engine.started_by_us]
    for step in (step for engine in ours for step in engine.switch_off(engine.local(Settings()))):
        if step.check(host) is not None:
            step.apply(host)
    for engine in engines.ENGINES:
        engine.leave(host)
    host.run("systemctl", "daemon-reload")


def _give_back_commands(host: Host) -> None:
    """Remove the links to the active release, and let python-ckan's own files take their places again."""
    for link in admin_commands.LINKS:
        path = f"{PACKAGED_CKAN}/bin/{link}"
        if host.target(path) is not None:
            host.remove(path)
        if host.exists(path + DIVERTED_SUFFIX):
            host.run("dpkg-divert", "--quiet", "--package", "dcor-server", "--rename", "--remove", path)


#: in this order: before the programs, what would start the others again
PARTS: tuple[Callable[[Host], None], ...] = (
    _plan_removal,
    _stop_automatic_units,
    _remove_test_instance,
    prometheus.remove,
    nginx.take_down,
    _stop_programs,
    _restore_database,
    _stop_engines,
    _give_back_commands,
    last_converge.forget,
)
