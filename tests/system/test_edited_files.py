"""What an administrator has edited is there after an upgrade that brings other texts, and no frontend asks about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from debconf_frontends import install_frontends
from next_version import NEXT, make_next_version
from terminal import running
from website import assert_healthy, wait_for_upgrade, wait_until_idle

from dcor_pkg.kernel import managed_file, updates
from dcor_pkg.nginx import site

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

TEMPLATES = "/root/next/usr/share/dcor-server/dcor_pkg"
#: six managed files, each with its template and the sign of a comment
FILES = {
    "/etc/dcor-server/redis.conf": ("services/redis/templates/redis.conf", "#"),
    "/etc/dcor-server/uwsgi.ini": ("ckan/templates/uwsgi.ini", ";"),
    "/etc/logrotate.d/dcor-server": ("ckan/templates/logrotate", "#"),
    "/etc/needrestart/conf.d/dcor-server.conf": ("ckan/templates/needrestart.conf", "#"),
    updates.PATH: ("kernel/templates/updates.conf", "//"),
    site.SITE: ("nginx/templates/site.conf", "#"),
}
FRONTENDS = ("dialog", "readline", "teletype", "noninteractive")


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server whose administrator has edited the files."""
    with Machine("edited", installed, read_only=package_mounts) as machine:
        install_frontends(machine)
        wait_until_idle(machine)
        for path, (_, sign) in FILES.items():
            machine.shell(f"printf '%s by order of the clinic\\n' '{sign}' >>{path}")
        machine.run("dcor-server", "converge")
        yield machine


def with_other_texts(word: str) -> str:
    """Return the commands by which the next version has another text of each file."""
    lines = [f"printf '%s {word}\\n' '{sign}' >>{TEMPLATES}/{template}" for template, sign in FILES.values()]
    return "\n".join(lines)


def texts(machine: Machine) -> dict[str, str]:
    return {path: machine.path(path).read_text() for path in FILES}


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_edited_files_are_kept_and_nothing_is_asked(machine: Machine, frontend: str) -> None:
    before = texts(machine)
    machine.shell("rm -rf /root/next")
    make_next_version(machine, with_other_texts(f"of the next version, by {frontend}"))
    with running(machine, f"dpkg --install {NEXT}", {"DEBIAN_FRONTEND": frontend}) as terminal:
        terminal.wait_for_exit()  # nobody answers
    wait_for_upgrade(machine)
    assert texts(machine) == before
    assert all("by order of the clinic" in text for text in before.values())
    for path in FILES:
        assert f"by {frontend}\n" in machine.path(managed_file.new_version(path)).read_text()
    notices = json.loads(machine.run("dcor-server", "status", "--json").stdout)["notices"]
    assert {notice["file"] for notice in notices if "was changed by an administrator" in notice["message"]} >= set(
        FILES
    )
    assert_healthy(machine)
