"""Nothing that an admin wrote is lost: additions count, changed files are kept, and a broken one does no harm.

One machine for all: each test leaves the server as it found it, and the last purges it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from availability import measure_availability
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import CURL, SITE, serves, wait_for_page, wait_until_idle

SETTINGS = "/etc/dcor-server/dcor-server.conf"
CKAN = "/etc/dcor-server/ckan.d/clinic.ini"
NGINX = "/etc/dcor-server/nginx.d/clinic.conf"
REDIS = "/etc/redis/redis-dcor.conf"
MINE = "# by order of the clinic\n"
#: The next version of dcor-server, with another text for Redis, as /root/next.deb.
NEXT_VERSION = r"""
dpkg-deb --raw-extract /srv/dist/dcor-server_*.deb /root/next
echo 'tcp-backlog 500' >>/root/next/usr/share/dcor-server/dcor_pkg/services/redis/templates/redis.conf
sed -i 's/^Version: .*/&+next/' /root/next/DEBIAN/control
dpkg-deb --build --root-owner-group /root/next /root/next.deb
"""


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server that nobody converges but these tests."""
    with Machine("additions", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


def dcor(machine: Machine, *arguments: str, ends: int = 0) -> str:
    """Run dcor-server, assert how it ends, and return what it said."""
    done = machine.run("dcor-server", *arguments, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == ends, said
    assert "Traceback" not in said
    return said


def told(machine: Machine, verb: str, ends: int = 0) -> Any:
    """Return what a verb tells as JSON."""
    return json.loads(dcor(machine, verb, "--json", ends=ends))


def about(machine: Machine, verb: str, file: str, ends: int = 0) -> list[str]:
    """Return what the notices of a verb say of a file."""
    return [notice["about"] for notice in told(machine, verb, ends)["notices"] if notice["file"] == file]


def redis(machine: Machine, option: str) -> str:
    """Return an option of the running Redis."""
    return machine.shell(f"redis-cli -s /run/redis-dcor/redis.sock config get {option}").split()[1]


def start_time(machine: Machine, unit: str) -> str:
    """Tell when a unit was last started."""
    return machine.run("systemctl", "show", "--property=ActiveEnterTimestampMonotonic", unit).stdout


def title(machine: Machine) -> str:
    """Return the title of a page that CKAN makes now."""
    return machine.shell(f"{CURL} --cookie dcor=x {SITE}/about | grep -o '<title>[^<]*' | cut -d'>' -f2").strip()


def test_options_of_the_admins_count_and_no_request_fails(machine: Machine) -> None:
    machine.write(
        CKAN, "ckan.site_title = Clinic\nWTF_CSRF_SECRET_KEY = hush-hush\n[logger_ckan]\nlevel = ERROR\n", 0o600
    )
    assert "is not what the settings ask for" in dcor(machine, "check", ends=3)
    availability = measure_availability(machine, "dcor-server converge")
    assert availability.failed == ()
    assert title(machine) == "About - Clinic"
    ini = machine.path("/etc/ckan/default/ckan.ini").read_text()
    assert f"# From {CKAN}:\nckan.site_title = Clinic\n" in ini
    for verb in ("check", "status", "converge"):
        found = about(machine, verb, CKAN)
        assert found == [
            "sets ckan.site_title, which dcor-server sets too ('DCOR'); the addition counts",
            "sets WTF_CSRF_SECRET_KEY, which dcor-server sets too ('SECRET'); the addition counts",
            "sets level in [logger_ckan], which dcor-server sets too ('WARNING'); the addition counts",
        ]
    assert "0 changed" in dcor(machine, "converge")
    assert machine.path(CKAN).stat().st_mode & 0o777 == 0o600


def test_a_broken_addition_is_told_with_its_line_before_anything_changes(machine: Machine) -> None:
    good = machine.path(CKAN).read_text()
    for text, words in (
        ("x = 1\nckan.site_title\n", f"{CKAN}, line 2: is neither OPTION = VALUE nor [SECTION]"),
        ("\nckan.site_title = 100% of hush\n", f"{CKAN}, line 2: the value of ckan.site_title has a %"),
    ):
        machine.write(CKAN, text, 0o600)
        for verb, ends in (("converge", 1), ("check", 3), ("status", 3)):
            said = dcor(machine, verb, ends=ends)
            assert words in said
            assert "hush" not in said
        assert words in dcor(machine, "set", "robots=no", ends=1)
    assert dcor(machine, "get", "robots") == "yes\n"
    assert title(machine) == "About - Clinic"
    machine.write(CKAN, good, 0o600)
    dcor(machine, "converge")
    dcor(machine, "status")


def test_what_ckan_cannot_load_leaves_the_old_state_serving(machine: Machine) -> None:
    """Also when a program crashes, and over a reboot: what was never proven is not there to be read."""
    machine.write("/etc/dcor-server/ckan.d/plugins.ini", "ckan.plugins = nonsense\n")
    availability = measure_availability(machine, "! dcor-server converge >/root/said")
    assert availability.failed == ()
    words = "PluginNotFoundException: Plugin 'nonsense' not found."
    assert words in machine.path("/root/said").read_text()
    for verb in ("status", "check"):
        assert words in dcor(machine, verb, ends=3)
    machine.shell(
        "pkill --signal KILL --uid www-data uwsgi; pkill --signal KILL --uid www-data --full dcor_runtime.workers"
    )
    wait_for_page(machine)
    assert title(machine) == "About - Clinic"
    machine.reboot()
    wait_for_page(machine)
    assert serves(machine)
    assert title(machine) == "About - Clinic"
    assert "name=" in machine.shell("ckan user list")
    machine.shell("rm /etc/dcor-server/ckan.d/plugins.ini")
    assert "0 changed" in dcor(machine, "converge")
    dcor(machine, "status")


def test_lines_for_nginx_are_taken_over_when_it_accepts_them(machine: Machine) -> None:
    machine.write(NGINX, "location = /clinic { return 200 one; }\n")
    assert f"{NGINX} has changed and is not applied yet" in dcor(machine, "check", ends=3)
    dcor(machine, "converge")
    assert machine.shell(f"{CURL} {SITE}/clinic") == "one"
    machine.write(NGINX, "\nlocation = /clinic { return 200 two }\n")
    words = f'[emerg] unexpected "}}" in {NGINX}:2'
    for verb, ends in (("check", 3), ("converge", 1), ("status", 3)):
        assert words in dcor(machine, verb, ends=ends)
    assert words in dcor(machine, "set", "robots=no", ends=1)
    machine.shell("nginx -t -q && systemctl restart nginx")
    assert machine.shell(f"{CURL} {SITE}/clinic") == "one"
    assert serves(machine)
    machine.write(NGINX, "location = /clinic { return 200 two; }\n")
    dcor(machine, "converge")
    assert machine.shell(f"{CURL} {SITE}/clinic") == "two"
    assert "Disallow: /\n" in machine.shell(f"{CURL} {SITE}/robots.txt")
    dcor(machine, "set", "robots=yes")
    dcor(machine, "status")


def test_a_changed_file_is_kept_until_its_admin_gives_it_back(machine: Machine) -> None:
    ours = machine.path(REDIS).read_text()
    machine.shell(f"echo 'maxclients 321' >>{REDIS}; echo '# mine' >>/etc/logrotate.d/dcor-server")
    before = start_time(machine, "redis-server@dcor")
    dcor(machine, "converge")
    assert (redis(machine, "maxclients"), start_time(machine, "redis-server@dcor")) == ("10000", before)
    machine.shell("systemctl restart redis-server@dcor")
    assert "0 changed" in dcor(machine, "converge")
    assert redis(machine, "maxclients") == "321"
    for verb in ("check", "status"):
        assert about(machine, verb, REDIS) == ["was changed here and is kept"]
        assert f"mv {REDIS}.dcor-new {REDIS}; dcor-server converge" in dcor(machine, verb)
    machine.shell("! logrotate --debug /etc/logrotate.conf 2>&1 | grep duplicate")
    machine.shell(f"mv {REDIS}.dcor-new {REDIS}; mv /etc/dcor-server/dcor-server.dcor-new /etc/logrotate.d/dcor-server")
    dcor(machine, "converge")
    assert (redis(machine, "maxclients"), machine.path(REDIS).read_text()) == ("10000", ours)
    machine.shell(f"echo 'maxclients 321' >>{REDIS}; systemctl restart redis-server@dcor")
    assert f"rm {REDIS}; dcor-server converge" in dcor(machine, "check", ends=3)
    machine.shell(f"rm {REDIS}")
    dcor(machine, "converge")
    assert (redis(machine, "maxclients"), machine.path(REDIS).read_text()) == ("10000", ours)
    assert told(machine, "check")["notices"] == told(machine, "status")["notices"]
    assert told(machine, "check")["changed_here"] == []


def test_a_changed_file_that_breaks_its_service_is_told_in_its_words(machine: Machine) -> None:
    machine.shell(f"echo 'maxclients many' >>{REDIS}; ! systemctl restart redis-server@dcor")
    said = dcor(machine, "converge", ends=1)
    assert "maxclients" in said
    assert f"{REDIS} was changed here and is kept" in said
    assert f"{REDIS} was changed here and is kept" in dcor(machine, "status", ends=3)
    machine.shell(f"rm {REDIS}")
    dcor(machine, "converge")
    wait_for_page(machine)
    dcor(machine, "status")


def test_the_settings_file_is_the_admins(machine: Machine) -> None:
    text = machine.path(SETTINGS).read_text()
    machine.write(SETTINGS, f"{MINE}{text}\nsitetitle = X\n", 0o640)
    line = text.count("\n") + 3
    assert f"{SETTINGS}, line {line}: there is no setting 'sitetitle'" in dcor(machine, "converge", ends=1)
    machine.write(SETTINGS, MINE + text.replace("\n#workers = auto\n", "\nworkers = 3\n"), 0o640)
    dcor(machine, "converge")
    assert "processes = 3\n" in machine.path("/etc/dcor-server/uwsgi.ini").read_text()
    dcor(machine, "set", "robots=no")
    machine.run("dpkg-reconfigure", "dcor-server", env=layers.NONINTERACTIVE)
    after = machine.path(SETTINGS).read_text()
    assert after.startswith(MINE)
    assert "\nworkers = 3\n" in after
    assert "\nrobots = no\n" in after


def upgrade(machine: Machine) -> subprocess.CompletedProcess[str]:
    """Go over to the next version, as apt does at night."""
    machine.shell(NEXT_VERSION)
    return machine.run("dpkg", "-i", "/root/next.deb", env=layers.NONINTERACTIVE)


def test_an_upgrade_keeps_what_was_changed_and_asks_nothing(machine: Machine) -> None:
    machine.shell(f"echo 'maxclients 321' >>{REDIS}")
    mine = machine.path(REDIS).read_text()
    before = {path: machine.path(path).read_text() for path in (SETTINGS, CKAN, NGINX)}
    done = upgrade(machine)
    assert "was changed here, and there is a new text for it" in done.stdout + done.stderr
    assert machine.path(REDIS).read_text() == mine
    assert "tcp-backlog 500" in machine.path(f"{REDIS}.dcor-new").read_text()
    assert about(machine, "status", REDIS) == ["was changed here and is kept"]
    assert {path: machine.path(path).read_text() for path in before} == before
    assert title(machine) == "About - Clinic"
    machine.shell(f"mv {REDIS}.dcor-new {REDIS}")
    dcor(machine, "converge")
    assert redis(machine, "tcp-backlog") == "500"
    dcor(machine, "status")


def test_purged_and_installed_again_it_has_the_admins_files(machine: Machine, debs: list[Path]) -> None:
    machine.run("apt-get", "purge", "--yes", "dcor-server", env=layers.NONINTERACTIVE)
    assert not machine.path("/etc/dcor-server").exists()
    layers.install(machine, debs)
    text = machine.path(SETTINGS).read_text()
    assert text.startswith(MINE)
    assert "\nworkers = 3\n" in text
    assert title(machine) == "About - Clinic"
    assert machine.shell(f"{CURL} {SITE}/clinic") == "two"
    assert serves(machine)
