"""Users exchange names in their own directories, and root neither follows them nor waits for them.

All tests share a machine; each restores what it has exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from cases import cases
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import serves, wait_for_upgrade, wait_until_idle

#: a file of root's, and directories of root's that a link could give away
PRIVATE, ROOTS = "/etc/private", "/etc /etc/dcor-server /root"
TEXT = "only for root"
#: seconds for one command; without the cure, some never end
LIMIT = 100
#: what is readable for other users, and must not contain TEXT
OF_OTHERS = (
    "/etc/redis /var/log/ckan /var/lib/ckan /var/cache/dcor-server /data /srv /etc/postgresql /var/lib/dcor-solr"
)
#: what comes into the place of a name, $1
EXCHANGES = {
    "FIFO": 'mkfifo "$1"',
    "link": f'ln -s {PRIVATE} "$1"',
    "link to a directory": 'ln -s /etc "$1"',
    "directory": 'mkdir "$1"',
}
#: Root makes it, as the user could on a system with fs.protected_hardlinks=0.
HARD_LINK = f'ln {PRIVATE} "$1"'
WITH_HARD_LINK = {**EXCHANGES, "hard link": HARD_LINK}
#: Those that are like another one, where the same code meets them (trusted_path): a FIFO is waited for, a link is
#: followed, and that a hard link is no file of a user's own is shown with the log of the web server.
ALIKE = ("link to a directory", "directory")
ALIKE_ELSEWHERE = (*ALIKE, "hard link")


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server with a file of root's, and a user."""
    with Machine("names", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        machine.write(PRIVATE, TEXT, 0o600)
        machine.run("useradd", "--create-home", "curator")
        yield machine


@contextmanager
def exchanged(machine: Machine, users: Mapping[str, str], script: str) -> Iterator[None]:
    """Let each user exchange its name for what a script makes; check root's files; restore all names."""
    before = of_root(machine)
    moved: list[str] = []
    away = '[ ! -e "$1" ] && [ ! -L "$1" ] || mv "$1" "$1.away"'
    try:
        for path, user in users.items():
            machine.run("sh", "-euc", away, "sh", path, user=user)
            moved.append(path)
            machine.run("sh", "-euc", script, "sh", path, user="root" if script == HARD_LINK else user)
        yield
        assert of_root(machine) == before
        found = machine.shell(f"grep -rl --devices=skip '{TEXT}' {OF_OTHERS} 2>/dev/null || test $? -lt 3")
        assert set(found.split()) <= set(users)
    finally:
        back = 'for it; do rm -rf "$it"; [ ! -e "$it.away" ] || mv "$it.away" "$it"; done'
        machine.run("sh", "-euc", back, "sh", *moved)


def of_root(machine: Machine) -> str:
    """Return owners, modes and contents of root's files."""
    return machine.shell(f"stat -c '%n %U %G %a' {PRIVATE} {ROOTS}; cat {PRIVATE}")


def ends(machine: Machine, *argv: str, limit: float = LIMIT) -> tuple[int, str]:
    """Return exit code and output of a command that has to end in time, without a traceback."""
    done = machine.run(*argv, check=False, timeout=limit)
    assert done.returncode not in (124, 137), f"{argv} did not end"
    assert "Traceback" not in done.stdout + done.stderr
    assert "bug in dcor-server" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def is_named(machine: Machine, *words: str) -> None:
    """Check that converge fails with a sentence that has one of these words and a hint, and that other verbs end."""
    code, output = ends(machine, "dcor-server", "converge")
    lines = output.splitlines()
    with_hint = [line for line, following in zip(lines, lines[1:]) if following.startswith("    ")]
    assert (code, any(word in line for word in words for line in with_hint)) == (1, True), output
    checked = ends(machine, "dcor-server", "check")[1]
    assert any(word in checked for word in words), checked
    ends(machine, "dcor-server", "status")


def converges(machine: Machine) -> None:
    assert ends(machine, "dcor-server", "converge")[0] == 0
    assert ends(machine, "dcor-server", "check")[0] == 0
    assert serves(machine)


@pytest.mark.parametrize("what", cases(EXCHANGES, ALIKE))
def test_redis_cannot_choose_what_its_configuration_is(machine: Machine, what: str) -> None:
    with exchanged(machine, {"/etc/redis/redis-dcor.conf": "redis"}, EXCHANGES[what]):
        converges(machine)


@pytest.mark.parametrize("what", cases(WITH_HARD_LINK, ALIKE))
@pytest.mark.parametrize("log", cases(["web", "jobs"], alike=["jobs"]))
def test_a_log_is_not_opened_that_ckan_has_exchanged(machine: Machine, log: str, what: str) -> None:
    path = f"/var/log/ckan/{log}.log"
    with exchanged(machine, {path: "www-data"}, WITH_HARD_LINK[what]):
        is_named(machine, path)
        ends(machine, "logrotate", "--force", "/etc/logrotate.d/dcor-server")
    converges(machine)


@pytest.mark.long
def test_an_upgrade_and_the_nightly_jobs_end_with_a_fifo_in_the_place_of_a_log(machine: Machine) -> None:
    with exchanged(machine, {"/var/log/ckan/web.log": "www-data"}, EXCHANGES["FIFO"]):
        code, output = ends(machine, "sh", "-c", "dpkg -i /srv/dist/dcor-server_*.deb", limit=200)
        assert code == 0, output
        wait_for_upgrade(machine)
        assert "/var/log/ckan/web.log" in ends(machine, "dcor-server", "status")[1]
        ends(machine, "dcor-server", "nightly", limit=300)
    converges(machine)


@pytest.mark.parametrize("what", cases(["FIFO", "link to a directory"], alike=["FIFO"]))
@pytest.mark.parametrize(
    "path",
    cases(
        ["/data/ckan/storage", "/data/ckan/resources", "/var/cache/dcor-server/ckanext-dc_serve"],
        alike=["/data/ckan/resources"],
    ),
)
def test_a_directory_is_not_given_to_ckan_that_it_has_exchanged(machine: Machine, path: str, what: str) -> None:
    script = 'mkfifo -m 0755 "$1"' if what == "FIFO" else EXCHANGES[what]
    with exchanged(machine, {path: "www-data"}, script):
        is_named(machine, path)
    converges(machine)


#: names in directories of others, each with the user that can make it
ELSE = {
    "/var/lib/ckan/config/names": "www-data",
    "/data/ckan/storage/names": "www-data",
    "/data/object-store/names": "dcor-store",
    "/var/lib/dcor-solr/data/names": "dcor-solr",
    "/var/lib/redis/names": "redis",
}


@pytest.mark.parametrize("what", cases(WITH_HARD_LINK, ALIKE_ELSEWHERE))
def test_what_else_is_in_directories_of_others_does_not_matter(machine: Machine, what: str) -> None:
    with exchanged(machine, ELSE, WITH_HARD_LINK[what]):
        converges(machine)


@pytest.mark.long
@pytest.mark.parametrize("what", cases(WITH_HARD_LINK, {*ALIKE_ELSEWHERE, "FIFO"}))
def test_the_settings_of_the_cluster_are_not_read_that_postgres_has_exchanged(machine: Machine, what: str) -> None:
    path = machine.shell("ls /etc/postgresql/*/main/start.conf").strip()
    with exchanged(machine, {path: "postgres"}, WITH_HARD_LINK[what]):
        # Debian's program, which is run as postgres, reads the file, too.
        is_named(machine, path, "pg_lsclusters")
    converges(machine)


LIST = "find ckan object-store -maxdepth 2 -path 'object-store/*' -prune -o -printf '%p %u:%g %m\\n' | sort"
#: Exchanges a directory for a link to one of root's, and back, as fast as it can.
SWAP = """
cd /data/ckan/resources
mkdir -p own && echo mine >own/private && ln -sfn /etc link
while :; do mv -T own away && mv -T link own && mv -T own link && mv -T away own; done
"""
#: Writes down which user copies what.
RSYNC = """#!/bin/sh
echo "$(id -un) $*" >>/tmp/copies
exec /usr/bin/rsync.real "$@"
"""


@pytest.mark.long
def test_the_data_are_copied_by_their_owners(machine: Machine) -> None:
    machine.shell("mv /usr/bin/rsync /usr/bin/rsync.real; touch /tmp/copies; chmod 0666 /tmp/copies")
    machine.write("/usr/bin/rsync", RSYNC, 0o755)
    machine.shell("setpriv --reuid=www-data --regid=www-data --clear-groups mkdir -m 0750 /data/ckan/resources/deep")
    before = machine.shell(f"cd /data && {LIST}")
    machine.write("/srv/swap", SWAP)
    machine.shell("systemd-run --quiet --unit=swap --uid=www-data bash /srv/swap")
    ends(machine, "dcor-server", "move-data", "/srv/moved", limit=300)
    machine.shell(
        "systemctl stop swap; rm -rf /data/ckan/resources/{own,away,link} /srv/moved/ckan/resources/{own,away,link}"
    )
    code, output = ends(machine, "dcor-server", "move-data", "/srv/moved", limit=300)
    used = machine.shell("sed -n 's/^data-directory *= *//p' /etc/dcor-server/dcor-server.conf").strip()
    assert used == "/srv/moved", output
    assert code in (0, 1), "1: the first attempt has moved them"
    copies = [line.split() for line in machine.shell("cat /tmp/copies").splitlines()]
    assert {(user, target.rstrip("/").rpartition("/")[2]) for user, *_, target in copies} == {
        ("root", "moved"),
        ("www-data", "ckan"),
        ("dcor-store", "object-store"),
    }
    assert machine.run("grep", "-rl", TEXT, "/srv/moved", check=False).returncode == 1
    assert machine.shell(f"cd /srv/moved && {LIST}") == before
    converges(machine)


def test_a_data_directory_is_refused_whose_place_belongs_to_a_user(machine: Machine) -> None:
    code, output = ends(machine, "dcor-server", "move-data", "/home/curator/lab/data")
    assert (code, "/home/curator belongs to curator" in output) == (1, True), output


def test_a_certificate_in_the_home_of_a_user_cannot_be_a_file_of_root(machine: Machine) -> None:
    machine.shell(f"ln -sf {PRIVATE} /home/curator/cert.pem", user="curator")
    settings = ("certificate=own", "certificate-file=/home/curator/cert.pem", f"certificate-key={PRIVATE}")
    code, output = ends(machine, "dcor-server", "set", *settings)
    assert (code, "is a link of curator" in output) == (1, True), output


def test_the_former_configuration_of_redis_moves_with_what_the_admin_has_changed(machine: Machine) -> None:
    former, now = "/etc/redis/redis-dcor.conf", "/etc/dcor-server/redis.conf"
    record = (
        "import json, pathlib; p = pathlib.Path('/var/lib/dcor-server/managed.json'); "
        f"p.write_text(json.dumps({{**json.loads(p.read_text()), '{former}': ['0']}}))"
    )
    machine.run("python3", "-c", record)
    with exchanged(machine, {former: "redis"}, EXCHANGES["link"]):
        is_named(machine, former)
    machine.shell(f"sed '$a maxmemory 128mb' {now} >{former}; chown redis:redis {former}; chmod 0640 {former}")
    converges(machine)
    assert machine.shell(f"stat -c '%U:%G %a' {now}; test ! -e {former}") == "root:redis 640\n"
    machine.run("systemctl", "restart", "redis-server@dcor")
    assert "134217728" in machine.shell("redis-cli -s /run/redis-dcor/redis.sock config get maxmemory")
    machine.shell(f"mv {now}.dcor-new {now}")
    converges(machine)
