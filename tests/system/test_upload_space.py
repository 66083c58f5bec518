"""Uploads need no room in /tmp, /var/tmp or nginx's directory, which have 64 MiB each here; `status` shows them.

The manual's fault, and the one of CKAN's own uploads, are reproduced before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import User, make_user, run_client
from website import CURL, SITE, wait_for_page, wait_until_idle

SMALL = {"/tmp": 1777, "/var/tmp": 1777, "/var/lib/nginx": 755}
#: on the machine's own disk, which has room
ROOM = "/srv/room"
GIBIBYTE = 1024**3
#: Passes uploads to a circle on as the manual sets nginx up: each is written to a file first.
AS_IN_THE_MANUAL = """\
location ^~ /circle-{circle}/ {{
    client_max_body_size 0;
    proxy_pass http://dcor_s3;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
}}
"""
ADDITION = "/etc/dcor-server/nginx.d/manual.conf"
PUT = f"truncate --size=200M {ROOM}/file; {CURL} --output /dev/null --write-out '%{{http_code}}' --upload-file {ROOM}/file"
#: CKAN's unit with temporary files where they are without a word to the contrary
IN_TMP = "/run/systemd/system/dcor-ckan.service.d/zz-test.conf"
#: leaves less than the half megabyte from which on Python puts an upload into a file
FILL_TMP = "fallocate --length $(($(df --output=avail --block-size=1 /tmp | tail -1) - 262144)) /tmp/full"
#: one pixel, and zeros, which no program looks at; CKAN takes pictures of up to 2 MiB
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = f"echo {PIXEL} | base64 --decode >{ROOM}/picture.png; truncate --size=1500000 {ROOM}/picture.png"


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server with small disks, which no timer converges."""
    options = tuple(f"--tmpfs={path}:size=64M,mode={mode}" for path, mode in SMALL.items())
    with Machine("small", installed, read_only=package_mounts, options=options) as machine:
        machine.shell(f"mkdir {ROOM}")
        wait_until_idle(machine)
        yield machine


@pytest.fixture(scope="module")
def someone(machine: Machine) -> User:
    """Return an ordinary user."""
    return make_user(machine, "someone")


def test_the_disks_are_small_and_named(machine: Machine) -> None:
    """Python's own directory, /tmp, is one of them, and so is /var/lib/nginx; /var/tmp nobody uses."""
    parts = {
        part["name"]: part
        for part in json.loads(machine.run("dcor-server", "status", "--json", check=False).stdout)["parts"]
    }
    for path in ("/tmp", "/var/lib/nginx"):
        part = parts[f"disk of {path}"]
        assert part["problem"].startswith("only "), part
        assert 0 < part["numbers"]["free_bytes"] <= 64 * 1024**2
        assert part["numbers"]["free_inodes"] > 0


def test_as_the_manual_sets_it_up_an_upload_finds_no_space(machine: Machine, someone: User) -> None:
    found = run_client(machine, "large_upload", "--token", someone.token, "--directory", ROOM, "--address")
    machine.write(ADDITION, AS_IN_THE_MANUAL.format(circle=found["circle"]))
    try:
        machine.run("dcor-server", "converge")
        assert machine.shell(f"{PUT} '{found['address']}'", check=False) != "200"
        log = machine.shell("cat /var/log/nginx/error.log")
        assert 'pwrite() "/var/lib/nginx/body/' in log, log
        assert "failed (28: No space left on device)" in log
    finally:
        machine.shell(f"rm {ADDITION}; dcor-server converge")
    # The site itself passes the same file on.
    assert machine.shell(f"{PUT} '{found['address']}'") == "200"


@pytest.mark.long
def test_a_gibibyte_passes_small_disks(machine: Machine, someone: User) -> None:
    """The jobs, which read it, and write a picture and a condensed file, need no more of them."""
    seen = run_client(machine, "large_upload", "--token", someone.token, "--directory", ROOM)
    assert seen["size"] == GIBIBYTE
    assert min(seen["made"].values()) > 1000


def send_picture(machine: Machine, someone: User) -> str:
    """Make a circle with a picture, which CKAN itself takes, while /tmp is all but full; return the HTTP status."""
    header = f'--header "Authorization: $(cat {someone.token})"'
    form = f"--form name=circle-$RANDOM$RANDOM --form image_upload=@{ROOM}/picture.png"
    sent = f"{CURL} --output {ROOM}/answer --write-out '%{{http_code}}' {header} {form} {SITE}/api/3/action/organization_create"
    machine.shell(PICTURE)
    machine.shell(FILL_TMP)
    try:
        return machine.shell(sent)
    finally:
        machine.shell("rm /tmp/full")


def restart_ckan(machine: Machine) -> None:
    """Let CKAN's unit read its files again."""
    machine.shell("systemctl daemon-reload; systemctl restart dcor-ckan.service")
    wait_for_page(machine)


def test_what_ckan_takes_itself_needs_no_room_in_tmp(machine: Machine, someone: User) -> None:
    """With its temporary files in /tmp the same request fails."""
    machine.write(IN_TMP, "[Service]\nEnvironment=TMPDIR=/tmp\n")
    try:
        restart_ckan(machine)
        assert send_picture(machine, someone) != "200"
        found = "tail --lines=200 /var/log/ckan/web.log | grep 'No space left on device'"
        machine.shell(f'until [ -n "$({found})" ]; do sleep 0.1; done', timeout=60)
    finally:
        machine.shell(f"rm {IN_TMP}")
    restart_ckan(machine)
    assert send_picture(machine, someone) == "200"
    picture = json.loads(machine.shell(f"cat {ROOM}/answer"))["result"]["image_display_url"]
    assert machine.shell(f"{CURL} '{picture}' | cmp - {ROOM}/picture.png") == ""


def test_too_little_room_for_the_largest_upload_is_told_before(machine: Machine) -> None:
    """Last: the setting stays."""
    machine.run("dcor-server", "set", "upload-limit=5000000")
    status = machine.run("dcor-server", "status", check=False).stdout
    (line,) = (line for line in status.splitlines() if "disk of /data " in line)
    assert "no room for an upload of 5000000 MiB" in line
