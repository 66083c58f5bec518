"""Each process of the server may be killed, and each part may hang: it is back soon, and nothing is lost.

The processes are found by clients/killer.py, so a new one is among them. What was seen is printed as a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import CLIENTS, INSIDE, make_user
from website import assert_healthy, wait_for_page

PYTHON = "/var/lib/dcor-server/current/bin/python"
TIMERS = "dcor-converge.timer dcor-retry.timer dcor-nightly.timer"
#: Processes before which nobody is who could repeat a read: those that hold the sockets of users, and of CKAN.
IN_FRONT = (
    "nginx.service: ",
    "dcor-ckan.service: pythonN supervisord",
    "dcor-ckan.service: python -m dcor_runtime.web",
)
#: What each part is called in `dcor-server status`; a part that only waits for requests may be unnamed.
HANGS_UNNOTICED = ("dcor-store-door@s3.service", "dcor-store-door@filer.service")


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Any, str]) -> Iterator[Machine]:
    """Return a server, with whose parts nobody else works."""
    with Machine("killed", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine


def run(machine: Machine, how: str) -> dict[str, Any]:
    """Run the program in the machine, in a service of its own, without our timers, and return what it prints."""
    token = make_user(machine, "killer", sysadmin=True).token
    machine.copy_in(CLIENTS, f"{INSIDE}/programs")
    command = f"{PYTHON} {INSIDE}/programs/killer.py {machine.hostname} {token} {how}"
    machine.shell(f"systemctl stop {TIMERS}")
    output = machine.shell(f"systemd-run --quiet --collect --wait --pipe --unit=killer {command}", timeout=3000)
    machine.shell(f"systemctl start {TIMERS}")
    found: dict[str, Any] = json.loads(output)
    return found


def table(found: dict[str, Any]) -> str:
    """Return what was found as lines."""
    lines = [
        f"{row['seconds']:6.1f} s  {len(row['failed']):3} failed  {row['unit']}: {row['process']}"
        + (
            f"  (status {row['status']} in {row['status_seconds']} s: {', '.join(row['named'])})"
            if row["status"]
            else ""
        )
        + "".join(f"  {it}" for it in row["failed"][:1])
        for row in found["rows"]
    ]
    return "\n".join([*lines, f"written: {found['written']}, lost: {found['lost']}"])


def name(row: dict[str, Any]) -> str:
    """Return the name of what got the signal."""
    return f"{row['unit']}: {row['process']}"


@pytest.mark.parametrize("how", ["kill-main", pytest.param("kill", marks=pytest.mark.long)])
def test_whatever_is_killed_is_back_soon_and_nothing_is_lost(machine: Machine, how: str) -> None:
    found = run(machine, how)
    shown = table(found)
    print(f"\n{shown}")
    units = {row["unit"].partition("@")[0].removesuffix(".service") for row in found["rows"]}
    assert units >= {"postgresql", "redis-server", "dcor-solr", "dcor-object-store", "nginx", "dcor-ckan"}, shown
    assert min(found["written"].values()) > len(found["rows"]), shown
    assert found["lost"] == {"datasets": [], "unfound": [], "jobs": []}, shown
    failed = [name(row) for row in found["rows"] if row["failed"]]
    assert [it for it in failed if not it.startswith(IN_FRONT)] == [], shown
    machine.shell("until dcor-server status; do sleep 1; done", timeout=300)
    assert "0 changed" in machine.run("dcor-server", "converge").stdout
    assert_healthy(machine)


@pytest.mark.long
def test_whatever_hangs_is_named_by_status_and_nothing_is_lost_when_it_goes_on(machine: Machine) -> None:
    found = run(machine, "stop")
    shown = table(found)
    print(f"\n{shown}")
    assert found["lost"] == {"datasets": [], "unfound": [], "jobs": []}, shown
    named = [row for row in found["rows"] if row["unit"] not in HANGS_UNNOTICED]
    # Our timers do not run meanwhile, which is a problem as well.
    assert [row for row in named if row["status"] != 3 or not {*row["named"]} - {"timers"}] == [], shown
    assert_healthy(machine)


def test_a_cluster_that_a_person_has_stopped_is_started_by_the_hourly_timer(machine: Machine) -> None:
    """Also while a converge runs, which may have passed them already."""
    stop = "systemctl start --no-block dcor-converge.service; systemctl stop 'postgresql@*-main.service' nginx"
    machine.shell(f"{stop}; systemctl start dcor-retry.service", timeout=600)
    assert_healthy(machine)


def test_a_program_outside_of_its_unit_is_named_and_ended(machine: Machine) -> None:
    variables = "--setenv=PROGRAMS=x --setenv=CKAN_INI=/var/lib/dcor-server/configurations/x"
    stray = f"systemd-run --quiet --unit=stray --uid=www-data {variables}"
    machine.shell(f"{stray} sleep 1000")
    status = machine.run("dcor-server", "status", check=False)
    assert (status.returncode, "runs CKAN outside of dcor-ckan.service" in status.stdout) == (3, True)
    assert "programs outside of their unit" in machine.run("dcor-server", "converge").stdout
    assert machine.run("systemctl", "is-active", "stray", check=False).returncode != 0
    assert "0 changed" in machine.run("dcor-server", "converge").stdout
