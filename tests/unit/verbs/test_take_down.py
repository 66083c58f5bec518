"""Taking the site down: everything that this package runs stops, everything that it stores stays."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from dcor_pkg.ckan import programs, supervisor
from dcor_pkg.ckan import unit as ckan_unit
from dcor_pkg.ckan.migration_state import Act
from dcor_pkg.kernel import last_converge
from dcor_pkg.kernel.instance import marker
from dcor_pkg.machine.paths import CKAN_INI, PACKAGED_CKAN
from dcor_pkg.nginx import example_site, site
from dcor_pkg.services import engines
from dcor_pkg.services.postgresql.cluster import DATABASE
from dcor_pkg.verbs.take_down import AUTOMATIC, take_down
from tests.unit.command_line import CommandLine
from tests.unit.fake_machine import Machine

OURS = [engine.unit for engine in engines.ENGINES if engine.started_by_us]


@pytest.fixture
def installed(dcor_server: CommandLine) -> Machine:
    """Return a machine with a server on it."""
    return dcor_server.converged().machine


def failures(machine: Machine) -> list[tuple[str, str]]:
    """Take the site down, and return what was reported."""
    found: list[tuple[str, str]] = []
    take_down(machine.host, lambda reason, hint: found.append((reason, hint)))
    return found


def test_programs_engines_and_timers_stop_and_the_site_is_closed(installed: Machine) -> None:
    for unit in AUTOMATIC:
        installed.systemd.units[unit].active = "active"
    assert failures(installed) == []
    assert supervisor.states(installed.host) == {}
    assert {installed.systemd.units[unit].active for unit in (*AUTOMATIC, *OURS)} == {"inactive"}
    assert {installed.systemd.units[unit].file for unit in OURS} == {"disabled"}
    assert not installed.host.exists(site.ENABLED)
    assert installed.host.target(example_site.ENABLED) == example_site.PATH
    assert installed.nginx.reloads > 0


def test_timers_stop_first_as_they_would_start_the_others_again(installed: Machine) -> None:
    before = len(installed.calls)
    failures(installed)
    assert installed.calls[before].argv == ("systemctl", "stop", *AUTOMATIC)


def test_services_of_others_go_on(installed: Machine) -> None:
    failures(installed)
    for unit in ("postgresql.service", "nginx.service", "supervisor.service"):
        assert installed.systemd.is_active(unit)


def test_data_database_and_configuration_stay(installed: Machine) -> None:
    databases = dict(installed.postgresql.databases)
    failures(installed)
    assert installed.postgresql.databases == databases != {}
    for path in (marker("/data"), CKAN_INI, "/etc/dcor-server/dcor-server.conf", site.SITE):
        assert installed.host.exists(path)


@pytest.mark.parametrize("is_exchanged", [False, True])
def test_a_migration_that_was_cut_off_leaves_the_database_as_it_was(installed: Machine, is_exchanged: bool) -> None:
    """A purge removes the record of it, and the data are preserved unless it is told otherwise."""
    databases, host = installed.postgresql.databases, installed.host
    serving = programs.serving(host)
    assert serving is not None
    aside, oid = "ckan_default_before_20260101t000000_x", databases[DATABASE].oid
    Act(programs.Programs("2.11.7-x", "0"), serving, aside, "ckan_default_copy").record(host)
    copied = replace(databases[DATABASE], oid=oid + 1)
    for name in ("ckan_default_copy", aside):
        installed.postgresql.comments[f"DATABASE {name}"] = installed.postgresql.comments[f"DATABASE {DATABASE}"]
    if is_exchanged:
        databases[aside] = replace(databases[DATABASE], connectable=False, read_only=True)
        databases[DATABASE] = copied
    else:
        databases["ckan_default_copy"] = copied
        databases[DATABASE].read_only = True
    assert failures(installed) == []
    assert [(name, it.oid, it.read_only, it.connectable) for name, it in databases.items()] == [
        (DATABASE, oid, False, True)
    ]


def test_python_ckan_gets_its_commands_back(installed: Machine) -> None:
    assert installed.packages.diversions != {}
    failures(installed)
    assert installed.packages.diversions == {}
    assert installed.host.target(f"{PACKAGED_CKAN}/bin/ckan") is None
    assert installed.host.exists(f"{PACKAGED_CKAN}/bin/ckan")
    assert not installed.host.exists(f"{PACKAGED_CKAN}/bin/dcor")


def test_the_record_of_the_last_converge_is_removed(installed: Machine) -> None:
    assert last_converge.read(installed.host).worked
    failures(installed)
    assert last_converge.read(installed.host) == last_converge.LastConverge()


def test_a_second_time_changes_no_service_and_reports_nothing(installed: Machine) -> None:
    failures(installed)
    before = deepcopy(installed.systemd.units)
    assert failures(installed) == []
    assert installed.systemd.units == before


def fail_to_stop(machine: Machine) -> None:
    machine.fail("systemctl", "stop", words="Failed to connect to bus")


def fail_to_disable(machine: Machine) -> None:
    machine.fail("systemctl", "disable", "--now", "--quiet", ckan_unit.UNIT, words="Failed to disable unit")


@pytest.mark.parametrize("damage", [fail_to_stop, fail_to_disable])
def test_a_part_that_fails_is_reported_and_the_others_are_done(
    installed: Machine, damage: Callable[[Machine], None]
) -> None:
    damage(installed)
    ((reason, hint),) = failures(installed)
    assert "failed with exit code 1" in reason
    assert hint in ("Failed to connect to bus", "Failed to disable unit")
    assert {installed.systemd.units[unit].active for unit in OURS} == {"inactive"}
    assert installed.packages.diversions == {}
    assert not last_converge.read(installed.host).worked


def test_a_machine_whose_server_was_never_set_up_has_nothing_to_take_down(machine: Machine) -> None:
    assert failures(machine) == []
    assert machine.systemd.is_active("nginx.service")
