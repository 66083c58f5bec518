"""An installed server is upgraded, rebooted, removed, purged, and installed again, and its disk is missing.

The tests of a machine follow on each other, in the order in which they stand. Those of the server with data are long:
test_purge.py purges one without a deletion, and what it preserved is there after the next installation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from debconf_frontends import install_command, install_frontends, setting
from next_version import NEXT, OF_RELEASE, make_next_version
from purge_leftovers import PRESERVED, leftovers
from repository_install import FROM_THE_REPOSITORY, MOUNTED, install, mount
from terminal import Terminal, running
from website import CURL, SITE, serves, wait_for_page, wait_for_upgrade

from dcor_pkg.services.postgresql.cluster import STOPPED
from tests.conftest import Boot

CERTIFICATE = "/etc/dcor-server/tls/certificate.pem"
#: The questions of a first installation, and the displayed answers after a purge.
PRESERVED_ANSWERS = (
    ("Name of the server:", "dcor.example.org____"),
    ("Email address of the administrator:", "keeper@example.org____"),
    ("Certificate of the server:", "self-signed"),
    ("Directory for the measurements:", "/data____"),
)


@dataclass(frozen=True)
class Kept:
    """A server that is removed and installed again, and the API token of a user whose data it has."""

    machine: Machine
    token: str

    def is_complete(self) -> bool:
        """Tell whether the server works, and still has the user's circle."""
        found = post(self.machine, self.token, "organization_list_for_user", {})
        return serves(self.machine) and [circle["name"] for circle in found] == ["kept-circle"]


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server that stays installed."""
    with Machine("lifecycle", installed, read_only=package_mounts) as booted:
        wait_for_page(booted)
        yield booted


@pytest.fixture(scope="module")
def kept(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Kept]:
    """Return a running server that has data, and debconf's frontends."""
    with Machine("kept", installed, read_only=package_mounts) as booted:
        wait_for_page(booted)
        install_frontends(booted)
        yield Kept(booted, make_dataset(booted))


def install_in_terminal(machine: Machine, debs: list[Path], frontend: str) -> AbstractContextManager[Terminal]:
    """Install our packages in a terminal, without preseeded answers."""
    return running(machine, install_command(debs), {"DEBIAN_FRONTEND": frontend})


def make_dataset(machine: Machine) -> str:
    """Create a user, a circle and a dataset, and return the user's API token."""
    machine.shell("ckan user add keeper email=keeper@example.org password=correct-horse-battery", timeout=120)
    token = machine.shell("ckan user token add keeper test -q", timeout=120).strip().splitlines()[-1]
    post(machine, token, "organization_create", {"name": "kept-circle"})
    dataset = {"title": "Kept", "owner_org": "kept-circle", "authors": "A", "license_id": "CC0-1.0", "state": "draft"}
    post(machine, token, "package_create", dataset)
    return token


def post(machine: Machine, token: str, action: str, data: object) -> Any:
    """Call an action of CKAN's API, and return its result."""
    command = (
        f"{CURL} --header 'Authorization: {token}' --header 'Content-Type: application/json' "
        f"--data @- {SITE}/api/3/action/{action}"
    )
    answer = json.loads(machine.run("bash", "-c", command, text=json.dumps(data)).stdout)
    assert answer["success"], answer
    return answer["result"]


def circles_of_all(machine: Machine) -> list[str]:
    """Return the circles that a guest can see."""
    answer = json.loads(machine.shell(f"{CURL} {SITE}/api/3/action/organization_list"))
    names: list[str] = answer["result"]
    return names


def test_a_second_converge_changes_nothing_and_check_finds_no_drift(machine: Machine) -> None:
    assert "0 changed" in machine.shell("dcor-server converge")
    report = json.loads(machine.shell("dcor-server check --json"))
    assert {step["result"] for step in report["steps"]} == {"unchanged"}
    assert report["changed_here"] == []
    assert machine.failed_units() == []
    machine.shell("dcor-server status")


@pytest.mark.long
def test_the_site_works_after_a_reboot(machine: Machine) -> None:
    machine.reboot()
    wait_for_page(machine)
    assert serves(machine)
    assert machine.failed_units() == []
    machine.shell("dcor-server status")


def test_without_its_disk_the_store_does_not_start_and_status_names_the_disk(machine: Machine) -> None:
    machine.shell("mv /data /data.unmounted && mkdir /data")
    machine.reboot()
    status = machine.run("dcor-server", "status", check=False)
    assert status.returncode == 3
    assert "/data" in status.stdout
    assert "not mounted" in status.stdout
    assert machine.run("systemctl", "is-active", "dcor-object-store", check=False).stdout.strip() != "active"
    assert machine.shell("ls -A /data") == ""
    failed = machine.run("dcor-server", "converge", check=False)
    assert failed.returncode == 1
    assert "Mount its disk" in failed.stdout + failed.stderr
    machine.shell("rmdir /data && mv /data.unmounted /data")
    machine.shell("dcor-server converge")
    wait_for_page(machine)
    assert serves(machine)
    machine.shell("dcor-server status")


@pytest.mark.upgrades
@pytest.mark.long
def test_a_configuration_and_a_trigger_in_one_run_make_one_release(machine: Machine, debs: list[Path]) -> None:
    make_next_version(machine, OF_RELEASE)
    machine.shell("echo >/var/log/dcor-server/converge.log")
    triggering = [path for path in layers.paths_inside(debs) if "/python-ckan_" in path or "/dcor-wheels_" in path]
    machine.run(*layers.INSTALL, "--reinstall", NEXT, *triggering, env=layers.NONINTERACTIVE, timeout=900)
    wait_for_upgrade(machine)
    log = machine.path("/var/log/dcor-server/converge.log").read_text()
    assert (log.count("* release: "), log.count("* active release: ")) == (1, 1)
    assert log.count(" changed, ") == 1
    assert serves(machine)


@pytest.mark.long
def test_data_are_preserved_by_a_removal_and_a_new_installation(kept: Kept, debs: list[Path]) -> None:
    machine = kept.machine
    machine.shell("DEBIAN_FRONTEND=noninteractive apt-get remove -y dcor-server")
    assert machine.run("curl", "--insecure", f"{SITE}/", check=False).returncode != 0
    assert machine.run("systemctl", "is-active", "dcor-solr", "dcor-object-store", check=False).returncode != 0
    assert machine.path("/data/.dcor-server").exists()
    with install_in_terminal(machine, debs, "readline") as terminal:
        assert "Name of the server" not in terminal.wait_for_exit()
    assert kept.is_complete()


def purge(machine: Machine, command: str = "purge -y dcor-server") -> str:
    """Purge noninteractively, and return the output."""
    return machine.shell(f"DEBIAN_FRONTEND=noninteractive apt-get {command} 2>&1")


def purge_and_confirm_default(machine: Machine) -> str:
    """Purge in a terminal, press Enter at the question, and return the output."""
    with running(machine, "apt-get purge --yes dcor-server") as terminal:
        assert "/data" in terminal.answer("Delete all data of this server?", "Enter")
        return terminal.wait_for_exit()


def purge_with_services(machine: Machine) -> str:
    """Purge noninteractively with all packages that only the server needs, and return the output."""
    return purge(machine, "purge -y --autoremove dcor-server")


PURGES = [
    pytest.param(purge_and_confirm_default, "dialog", id="dialog"),
    pytest.param(purge_with_services, "noninteractive", id="noninteractive"),
]


@pytest.mark.long
@pytest.mark.parametrize(("purge_in_this_way", "frontend"), PURGES)
def test_data_and_answers_are_preserved_by_a_purge_and_a_new_installation(
    kept: Kept, debs: list[Path], purge_in_this_way: Callable[[Machine], str], frontend: str
) -> None:
    """The preserved answers are the defaults of the dialogs, and are used without dialogs."""
    machine = kept.machine
    machine.shell("dcor-server set email=keeper@example.org site-title=Kept")
    certificate = machine.path(CERTIFICATE).read_text()
    assert "preserved the measurements in /data" in purge_in_this_way(machine)
    machine.shell("DEBIAN_FRONTEND=noninteractive apt-get autoremove -y --purge")
    assert leftovers(machine) == PRESERVED
    # This answer is saved before the preserved files are restored, and is not one of them.
    machine.run("debconf-set-selections", text="dcor-server dcor-server/redis-password password hush-queue\n")
    with install_in_terminal(machine, debs, frontend) as terminal:
        for question, answer in PRESERVED_ANSWERS if frontend == "dialog" else ():
            assert answer in terminal.answer(question, "Enter")
        terminal.wait_for_exit()
    assert machine.path(CERTIFICATE).read_text() == certificate
    assert (setting(machine, "email"), setting(machine, "site-title")) == ("keeper@example.org", "Kept")
    assert kept.is_complete()


@pytest.mark.long
def test_a_purge_deletes_no_data_of_another_disk(kept: Kept) -> None:
    """test_purge.py has it without a dialog."""
    machine = kept.machine
    machine.shell("mv /data /data.unmounted && mkdir -p /data/ckan && echo other >/data/ckan/other")
    with running(machine, "apt-get purge --yes dcor-server") as terminal:
        terminal.answer("Delete all data of this server?", "Left", "Enter")
        output = terminal.wait_for_exit(code=100)
    assert "/data does not hold the data of this server" in output
    assert "nothing was deleted" in output
    assert machine.shell("cat /data/ckan/other") == "other\n"
    assert machine.path("/data.unmounted/.dcor-server").exists()


def test_a_purge_with_deletion_leaves_nothing_and_a_new_server_is_empty(
    installed: layers.Stack, boot: Boot, suite: str
) -> None:
    """The new one is installed from the repository, and the purged one was from files."""
    machine = boot("purged", installed, read_only=mount(suite))
    wait_for_page(machine)
    make_dataset(machine)
    assert circles_of_all(machine) == ["kept-circle"]
    databases = "runuser -u postgres -- psql --tuples-only --no-align --command"
    assert "ckan_default" in machine.shell(f"{databases} 'SELECT datname FROM pg_database'")
    machine.shell("echo mine >/data/notes; dcor-server set scratch-directory=/srv/scratch")
    machine.run("debconf-set-selections", text="dcor-server dcor-server/purge-data boolean true\n")
    machine.shell(f"echo '{STOPPED}manual' >/etc/postgresql/*/main/start.conf; systemctl stop 'postgresql@*'")
    assert "All data of this server were deleted" in purge(machine)
    assert machine.shell("ls -A /data; cat /data/notes; ls -A /srv/scratch || echo none").split() == [
        "notes",
        "mine",
        "none",
    ]
    assert machine.shell(f"{databases} 'SELECT datname FROM pg_database WHERE NOT datistemplate'").split() == [
        "postgres"
    ]
    roles = machine.shell(f"{databases} 'SELECT rolname FROM pg_roles'").split()
    assert {"ckan_default", "www-data"}.isdisjoint(roles)
    purge(machine, "purge -y --autoremove 'dcor-*' python-ckan")
    assert leftovers(machine) == [MOUNTED]  # of this test
    # A directory that holds what is another's is not used.
    machine.shell("rm /data/notes")
    install(machine, FROM_THE_REPOSITORY, suite)
    assert serves(machine)
    assert circles_of_all(machine) == []
