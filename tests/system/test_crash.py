"""After a power failure during a configuration, `dpkg --configure -a` continues, and nothing is lost or made twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from next_version import NEXT, OF_RELEASE, make_next_version
from power_cut import power_cut
from website import assert_healthy, wait_for_page, wait_until_idle

from tests.conftest import Boot

pytestmark = pytest.mark.upgrades

CONFIGURE = ("dpkg", "--configure", "-a")
#: Makes the release of an upgrade when dpkg has ended; who starts it while it runs waits for it.
CONVERGE = ("systemctl", "start", "dcor-converge.service")
LOG = "/var/log/dcor-server/converge.log"
RELEASES = "/var/lib/dcor-server/releases"
PROGRAMS = "/var/lib/dcor-server/programs"
UPSTREAM = "/var/lib/dcor-server/nginx/upstream.conf"
SECRETS = "/etc/dcor-server/secrets"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'www-data' AND xact_start IS NOT NULL"


def secrets_made(machine: Machine) -> bool:
    return "* secret ckan-csrf-key: " in machine.path(LOG).read_text()


def release_half_made(machine: Machine) -> bool:
    """Return whether the wheels are being installed into a release, which still has its temporary name."""
    return any(machine.path(RELEASES).glob(".*/bin/pip"))


def tables_half_made(machine: Machine) -> bool:
    asked = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", SESSIONS, "postgres")
    return machine.run(*asked, user="postgres").stdout.strip() != "0"


def web_server_tested(machine: Machine) -> bool:
    """Return whether nginx's upstream has been written, while our site is not enabled yet."""
    return machine.path(UPSTREAM).exists()


def ckan_half_unpacked(machine: Machine) -> bool:
    """Return whether dpkg has unpacked some new files, before it renames them."""
    return machine.path("/usr/lib/ckan/default/bin/Activate.ps1.dpkg-new").exists()


def two_releases_run(machine: Machine) -> bool:
    """Return whether the next release starts while the active one still runs."""
    return len(list(machine.path(PROGRAMS).glob("dcor-*.conf"))) == 2


#: In the order of a first installation.
MOMENTS = (secrets_made, release_half_made, tables_half_made, web_server_tested)


def secrets(machine: Machine) -> dict[str, str]:
    """Return hashes of the secrets by their names, since a failed assertion would print the secrets."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in machine.path(SECRETS).iterdir()}


def assert_complete(machine: Machine, releases: int) -> None:
    """Assert that the server is like one without power cuts, and that no incomplete release remains."""
    assert_healthy(machine)
    machine.run("dcor-server", "check")
    assert machine.shell("dpkg --audit") == ""
    assert machine.shell(f"ls -A {RELEASES} | wc -l").strip() == str(releases)


@pytest.mark.long
def test_a_first_installation_continues_after_each_power_cut(
    boot: Boot, unconfigured: layers.Stack, package_mounts: dict[Path, str]
) -> None:
    machine = boot("cut", unconfigured, read_only=package_mounts)
    machine.run("debconf-set-selections", text=layers.ANSWERS)
    machine.shell(f"rm -r {RELEASES}")
    made: dict[str, str] = {}
    for moment in MOMENTS:
        power_cut(machine, moment, *CONFIGURE)
        assert {**secrets(machine), **made} == secrets(machine)
        made = secrets(machine)
    machine.run(*CONFIGURE, env=layers.NONINTERACTIVE)
    assert_complete(machine, 1)
    assert {**secrets(machine), **made} == secrets(machine)


@pytest.mark.long
def test_an_upgrade_continues_after_each_power_cut_and_the_site_works_before(
    boot: Boot, installed: layers.Stack, debs: list[Path], package_mounts: dict[Path, str]
) -> None:
    machine = boot("upgraded", installed, read_only=package_mounts)
    wait_until_idle(machine)
    machine.run("systemctl", "disable", "--quiet", "--now", "dcor-converge.timer")
    make_next_version(machine, OF_RELEASE)
    before = machine.path(UPSTREAM).read_text()
    former, ckan = (
        next(path for path in layers.paths_inside(debs) if f"/{name}_" in path)
        for name in ("dcor-server", "python-ckan")
    )
    packages = [NEXT, ckan]
    power_cut(machine, ckan_half_unpacked, "dpkg", "--unpack", *packages)
    wait_for_page(machine)
    refused = machine.run("dcor-server", "converge", check=False)
    assert (refused.returncode, "was interrupted" in refused.stdout) == (1, True)
    machine.run("dpkg", "--install", *packages, env=layers.NONINTERACTIVE)
    power_cut(machine, two_releases_run, *CONVERGE)
    wait_for_page(machine)
    assert machine.path(UPSTREAM).read_text() == before
    power_cut(machine, lambda machine: machine.path(UPSTREAM).read_text() != before, *CONVERGE)
    wait_for_page(machine)
    machine.run(*CONVERGE)
    assert machine.shell("dpkg-query --show --showformat '${Version}' dcor-server").endswith("+next")
    # the former one is kept
    assert_complete(machine, 2)
    # so its version may come back, and serves with it
    machine.run("dpkg", "--install", former, env=layers.NONINTERACTIVE)
    machine.run("dcor-server", "converge", "--wait", timeout=600)
    assert not machine.shell("dpkg-query --show --showformat '${Version}' dcor-server").endswith("+next")
    assert machine.path(UPSTREAM).read_text() == before
    assert_complete(machine, 2)
    machine.shell("cd /var/lib/dcor-server; echo 9.0 >version; : >versions")
    refused = machine.run("dpkg", "--install", NEXT, check=False)
    assert (refused.returncode, "is kept any more" in refused.stderr) == (1, True)
    machine.run("dcor-server", "check")
