"""Additions and changed files of an admin take effect and are preserved, and broken ones do no harm.

All tests share a machine; each restores the server, and the last one purges it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from availability import measure_availability
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import CURL, SITE, serves, wait_for_converge, wait_for_page, wait_for_upgrade, wait_until_idle

SETTINGS = "/etc/dcor-server/dcor-server.conf"
CKAN = "/etc/dcor-server/ckan.d/clinic.ini"
NGINX = "/etc/dcor-server/nginx.d/clinic.conf"
REDIS = "/etc/dcor-server/redis.conf"
LOG = "/var/log/dcor-server/converge.log"
MINE = "# by order of the clinic\n"
CHANGED = "was changed by an administrator, so dcor-server does not update it"
#: Builds the next version of dcor-server, with another configuration of Redis, as /root/next.deb.
NEXT_VERSION = r"""
dpkg-deb --raw-extract /srv/dist/dcor-server_*.deb /root/next
echo 'tcp-backlog 500' >>/root/next/usr/share/dcor-server/dcor_pkg/services/redis/templates/redis.conf
sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
dpkg-deb --build --root-owner-group /root/next /root/next.deb
"""


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server that only these tests converge."""
    with Machine("additions", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


def dcor(machine: Machine, *arguments: str, exit_code: int = 0) -> str:
    """Run dcor-server, assert its exit code, and return its output."""
    done = machine.run("dcor-server", *arguments, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == exit_code, output
    assert "Traceback" not in output
    return output


def report(machine: Machine, verb: str, exit_code: int = 0) -> Any:
    """Return the JSON report of a verb."""
    return json.loads(dcor(machine, verb, "--json", exit_code=exit_code))


def messages(machine: Machine, verb: str, file: str, exit_code: int = 0) -> list[str]:
    """Return the notices of a verb about a file."""
    return [notice["message"] for notice in report(machine, verb, exit_code)["notices"] if notice["file"] == file]


def redis(machine: Machine, option: str) -> str:
    """Return an option of the running Redis."""
    return machine.shell(f"redis-cli -s /run/redis-dcor/redis.sock config get {option}").split()[1]


def start_time(machine: Machine, unit: str) -> str:
    """Return when a unit was last started."""
    return machine.run("systemctl", "show", "--property=ActiveEnterTimestampMonotonic", unit).stdout


def title(machine: Machine) -> str:
    """Return the title of a page that is not cached."""
    return machine.shell(f"{CURL} --cookie dcor=x {SITE}/about | grep -o '<title>[^<]*' | cut -d'>' -f2").strip()


def test_options_of_the_admin_take_effect_without_a_failed_request(machine: Machine) -> None:
    machine.write(
        CKAN, "ckan.site_title = Clinic\nWTF_CSRF_SECRET_KEY = hush-hush\n[logger_ckan]\nlevel = ERROR\n", 0o600
    )
    assert "differs from what the settings need" in dcor(machine, "check", exit_code=3)
    availability = measure_availability(machine, "dcor-server converge")
    assert availability.failed == ()
    assert title(machine) == "About - Clinic"
    ini = machine.path("/etc/ckan/default/ckan.ini").read_text()
    assert f"# From {CKAN}:\nckan.site_title = Clinic\n" in ini
    for verb in ("check", "status", "converge"):
        found = messages(machine, verb, CKAN)
        assert found == [
            "sets ckan.site_title, which dcor-server sets to 'DCOR'; the value in this file is in effect",
            "sets WTF_CSRF_SECRET_KEY, which dcor-server sets to 'SECRET'; the value in this file is in effect",
            "sets level in [logger_ckan], which dcor-server sets to 'WARNING'; the value in this file is in effect",
        ]
    assert "0 changed" in dcor(machine, "converge")
    assert machine.path(CKAN).stat().st_mode & 0o777 == 0o600


def test_a_broken_addition_is_reported_with_its_line_before_the_first_change(machine: Machine) -> None:
    good = machine.path(CKAN).read_text()
    for text, words in (
        ("x = 1\nckan.site_title\n", f"{CKAN}, line 2: is neither OPTION = VALUE nor [SECTION]"),
        ("\nckan.site_title = 100% of hush\n", f"{CKAN}, line 2: the value of ckan.site_title has a %"),
    ):
        machine.write(CKAN, text, 0o600)
        for verb, exit_code in (("converge", 1), ("check", 3), ("status", 3)):
            output = dcor(machine, verb, exit_code=exit_code)
            assert words in output
            assert "hush" not in output
        assert words in dcor(machine, "set", "robots=no", exit_code=1)
    assert dcor(machine, "get", "robots") == "yes\n"
    assert title(machine) == "About - Clinic"
    machine.write(CKAN, good, 0o600)
    dcor(machine, "converge")
    dcor(machine, "status")


@pytest.mark.long
def test_the_old_configuration_stays_active_when_ckan_cannot_load_the_new_one(machine: Machine) -> None:
    """Also after a crash and a reboot, since programs read only a copy of a tested configuration."""
    machine.write("/etc/dcor-server/ckan.d/plugins.ini", "ckan.plugins = nonsense\n")
    availability = measure_availability(machine, "! dcor-server converge >/root/output")
    assert availability.failed == ()
    words = "PluginNotFoundException: Plugin 'nonsense' not found."
    assert words in machine.path("/root/output").read_text()
    for verb in ("status", "check"):
        assert words in dcor(machine, verb, exit_code=3)
    machine.shell(
        "pkill --signal KILL --uid www-data uwsgi; pkill --signal KILL --uid www-data --full dcor_runtime.workers"
    )
    wait_for_page(machine)
    assert title(machine) == "About - Clinic"
    machine.reboot()
    wait_for_page(machine)
    assert serves(machine)
    assert title(machine) == "About - Clinic"
    # While a converge tries the new configuration, that one is in ckan.ini.
    wait_for_converge(machine)
    assert "name=" in machine.shell("ckan user list")
    machine.shell("rm /etc/dcor-server/ckan.d/plugins.ini")
    assert "0 changed" in dcor(machine, "converge")
    dcor(machine, "status")


@pytest.mark.long
def test_the_tables_of_a_plugin_that_is_enabled_later_are_migrated(machine: Machine) -> None:
    """CKAN's own tables are up to date by then; without those of the plugin its route answers 500."""
    route = f"{SITE}/api/3/action/recently_changed_packages_activity_list"
    status = f"{CURL} --output /dev/null --write-out '%{{http_code}}' {route}"
    plugins = machine.shell("sed -n 's/^ckan.plugins = //p' /etc/ckan/default/ckan.ini").strip()
    machine.write("/etc/dcor-server/ckan.d/activity.ini", f"ckan.plugins = {plugins} activity\n")
    output = dcor(machine, "converge")
    assert "of the plugin activity" in output
    assert "so it is about to be migrated, and there is no backup from right before" in output
    assert machine.shell(status) == "200"
    assert "0 changed" in dcor(machine, "converge")
    machine.shell("rm /etc/dcor-server/ckan.d/activity.ini")
    dcor(machine, "converge")
    assert "0 changed" in dcor(machine, "converge")
    dcor(machine, "status")


def test_additions_for_nginx_take_effect_if_nginx_accepts_them(machine: Machine) -> None:
    machine.write(NGINX, "location = /clinic { return 200 one; }\n")
    assert f"{NGINX} has changed and is not applied yet" in dcor(machine, "check", exit_code=3)
    dcor(machine, "converge")
    assert machine.shell(f"{CURL} {SITE}/clinic") == "one"
    machine.write(NGINX, "\nlocation = /clinic { return 200 two }\n")
    words = f'[emerg] unexpected "}}" in {NGINX}:2'
    for verb, exit_code in (("check", 3), ("converge", 1), ("status", 3)):
        assert words in dcor(machine, verb, exit_code=exit_code)
    assert words in dcor(machine, "set", "robots=no", exit_code=1)
    machine.shell("nginx -t -q && systemctl restart nginx")
    assert machine.shell(f"{CURL} {SITE}/clinic") == "one"
    assert serves(machine)
    machine.write(NGINX, "location = /clinic { return 200 two; }\n")
    dcor(machine, "converge")
    assert machine.shell(f"{CURL} {SITE}/clinic") == "two"
    assert "Disallow: /\n" in machine.shell(f"{CURL} {SITE}/robots.txt")
    dcor(machine, "set", "robots=yes")
    dcor(machine, "status")


@pytest.mark.long
def test_a_changed_file_is_preserved_until_the_admin_replaces_or_removes_it(machine: Machine) -> None:
    ours = machine.path(REDIS).read_text()
    machine.shell(f"echo 'maxclients 321' >>{REDIS}; echo '# mine' >>/etc/logrotate.d/dcor-server")
    before = start_time(machine, "redis-server@dcor")
    dcor(machine, "converge")
    assert (redis(machine, "maxclients"), start_time(machine, "redis-server@dcor")) == ("10000", before)
    machine.shell("systemctl restart redis-server@dcor")
    assert "0 changed" in dcor(machine, "converge")
    assert redis(machine, "maxclients") == "321"
    for verb in ("check", "status"):
        assert messages(machine, verb, REDIS) == [CHANGED]
        assert f"mv {REDIS}.dcor-new {REDIS}; dcor-server converge" in dcor(machine, verb)
    machine.shell("! logrotate --debug /etc/logrotate.conf 2>&1 | grep duplicate")
    machine.shell(f"mv {REDIS}.dcor-new {REDIS}; mv /etc/dcor-server/dcor-server.dcor-new /etc/logrotate.d/dcor-server")
    dcor(machine, "converge")
    assert (redis(machine, "maxclients"), machine.path(REDIS).read_text()) == ("10000", ours)
    machine.shell(f"echo 'maxclients 321' >>{REDIS}; systemctl restart redis-server@dcor")
    assert f"rm {REDIS}; dcor-server converge" in dcor(machine, "check", exit_code=3)
    machine.shell(f"rm {REDIS}")
    dcor(machine, "converge")
    assert (redis(machine, "maxclients"), machine.path(REDIS).read_text()) == ("10000", ours)
    assert report(machine, "check")["notices"] == report(machine, "status")["notices"]
    assert report(machine, "check")["changed_here"] == []


def test_a_changed_file_that_breaks_its_service_is_reported_with_its_message(machine: Machine) -> None:
    machine.shell(f"echo 'maxclients many' >>{REDIS}; ! systemctl restart redis-server@dcor")
    output = dcor(machine, "converge", exit_code=1)
    assert "maxclients" in output
    assert f"{REDIS} {CHANGED}" in output
    assert f"{REDIS} {CHANGED}" in dcor(machine, "status", exit_code=3)
    machine.shell(f"rm {REDIS}")
    dcor(machine, "converge")
    wait_for_page(machine)
    dcor(machine, "status")


def test_edits_of_the_settings_file_are_preserved(machine: Machine) -> None:
    text = machine.path(SETTINGS).read_text()
    machine.write(SETTINGS, f"{MINE}{text}\nsitetitle = X\n", 0o640)
    line = text.count("\n") + 3
    assert f"{SETTINGS}, line {line}: there is no setting 'sitetitle'" in dcor(machine, "converge", exit_code=1)
    machine.write(SETTINGS, MINE + text.replace("\n#workers = auto\n", "\nworkers = 3\n"), 0o640)
    dcor(machine, "converge")
    assert "processes = 3\n" in machine.path("/etc/dcor-server/uwsgi.ini").read_text()
    dcor(machine, "set", "robots=no")
    machine.run("dpkg-reconfigure", "dcor-server", env=layers.NONINTERACTIVE)
    after = machine.path(SETTINGS).read_text()
    assert after.startswith(MINE)
    assert "\nworkers = 3\n" in after
    assert "\nrobots = no\n" in after


def upgrade(machine: Machine) -> str:
    """Upgrade to the next version noninteractively, and return what the log says of it."""
    machine.shell(f"{NEXT_VERSION}\n: >{LOG}")
    machine.run("dpkg", "-i", "/root/next.deb", env=layers.NONINTERACTIVE)
    wait_for_upgrade(machine)
    return machine.path(LOG).read_text()


def test_an_upgrade_preserves_changed_files_and_asks_no_question(machine: Machine) -> None:
    machine.shell(f"echo 'maxclients 321' >>{REDIS}")
    mine = machine.path(REDIS).read_text()
    before = {path: machine.path(path).read_text() for path in (SETTINGS, CKAN, NGINX)}
    assert "was changed locally, so its new version goes to" in upgrade(machine)
    assert machine.path(REDIS).read_text() == mine
    assert "tcp-backlog 500" in machine.path(f"{REDIS}.dcor-new").read_text()
    assert messages(machine, "status", REDIS) == [CHANGED]
    assert {path: machine.path(path).read_text() for path in before} == before
    assert title(machine) == "About - Clinic"
    machine.shell(f"mv {REDIS}.dcor-new {REDIS}")
    dcor(machine, "converge")
    assert redis(machine, "tcp-backlog") == "500"
    dcor(machine, "status")


@pytest.mark.long
def test_files_of_the_admin_are_preserved_by_a_purge_and_a_new_installation(machine: Machine, debs: list[Path]) -> None:
    machine.run("apt-get", "purge", "--yes", "dcor-server", env=layers.NONINTERACTIVE)
    assert not machine.path("/etc/dcor-server").exists()
    layers.install(machine, debs)
    text = machine.path(SETTINGS).read_text()
    assert text.startswith(MINE)
    assert "\nworkers = 3\n" in text
    assert title(machine) == "About - Clinic"
    assert machine.shell(f"{CURL} {SITE}/clinic") == "two"
    assert serves(machine)
