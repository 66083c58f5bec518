"""Who gets at what: the tables of users, sockets and places, tried as the users who must not."""

from __future__ import annotations

import pytest
import secret_search
from dcor_dev.machine import Machine

#: What neither CKAN, which parses strangers' files, nor nginx's workers may read; both are www-data.
ROOTS_OWN = (
    "/etc/dcor-server/dcor-server.conf",
    "/etc/dcor-server/secrets/tls-key.pem",
    "/etc/dcor-server/secrets/filer-token.conf",
    "/etc/dcor-server/secrets/filer-key",
    "/etc/dcor-server/secrets/pgpass",
    "/etc/dcor-object-store/security.toml",
    "/etc/dcor-object-store/s3.json",
    "/var/lib/dcor-solr/home/security.json",
)
#: What CKAN may read, and nobody else.
CKANS_OWN = ("/etc/ckan/default/ckan.ini",)
SOCKETS = ("/run/redis-dcor/redis.sock", "/run/dcor-object-store/s3.sock", "/run/supervisor.sock")
#: as ss writes it; Java listens on IPv4's through a socket of IPv6
LOOPBACK = ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]")
WAY_TO = "import os, socket, sys; print(os.environ['AWS_DEFAULT_REGION'], *socket.getaddrinfo(sys.argv[1], 443)[0][4])"
CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


@pytest.mark.parametrize("path", ROOTS_OWN)
@pytest.mark.parametrize("user", ["www-data", "nobody"])
def test_what_is_roots_or_an_engines_own(server: Machine, path: str, user: str) -> None:
    assert server.run("test", "-s", path, check=False).returncode == 0
    assert "Permission denied" in server.run("cat", path, user=user, check=False).stderr


@pytest.mark.parametrize("path", CKANS_OWN)
def test_what_is_ckans_own(server: Machine, path: str) -> None:
    assert server.run("head", "-1", path, user="www-data").returncode == 0
    assert "Permission denied" in server.run("cat", path, user="nobody", check=False).stderr


@pytest.mark.parametrize("path", SOCKETS)
def test_a_stranger_reaches_no_socket(server: Machine, path: str) -> None:
    assert server.run("python3", "-c", CONNECT, path).returncode == 0
    refused = server.run("python3", "-c", CONNECT, path, user="nobody", check=False)
    assert "PermissionError" in refused.stderr


def test_only_nginx_listens_to_others(server: Machine) -> None:
    heard = [
        line.split()[3].rsplit(":", 1)
        for line in server.shell("ss --no-header --listening --tcp --numeric").splitlines()
    ]
    assert {port for address, port in heard if address not in LOOPBACK} == {"80", "443"}
    assert "8983" in {port for _, port in heard}


def test_nothing_of_ckan_runs_as_root(server: Machine) -> None:
    users = server.shell(
        "ps -eo user:20,args | grep -E '/var/lib/dcor-server/releases/[^ ]*/bin/' | grep -v grep"
    ).splitlines()
    assert len(users) >= 8
    assert {line.split()[0] for line in users} == {"www-data"}


def test_no_module_of_a_strangers_is_imported(server: Machine) -> None:
    """Python, uWSGI's as well, looks in the working directory before it looks in the release."""
    directories = server.shell(
        "for p in $(pgrep -u www-data -f /var/lib/dcor-server/releases); do readlink /proc/$p/cwd; done"
    )
    assert set(directories.split()) == {"/"}


def test_programs_of_a_release_reach_the_site_by_loopback(server: Machine) -> None:
    """Whatever the name service says: behind NAT the public address does not lead back here."""
    assert server.run("getent", "hosts", server.hostname).stdout.split()[0] == "127.0.1.1"
    said = server.run("/var/lib/dcor-server/current/bin/python", "-c", WAY_TO, server.hostname).stdout
    assert said.split() == ["dcor", "127.0.0.1", "443"]


def test_the_manuals_commands_do_not_run_as_root(server: Machine) -> None:
    manual = "source /usr/lib/ckan/default/bin/activate; command -v ckan dcor; ckan user list >/dev/null; dcor status >/dev/null"
    said = server.shell(manual)
    assert said.splitlines()[:2] == ["/var/lib/dcor-server/releases/" + part for part in _programs(server)]
    made = server.shell("find /data/ckan /var/lib/ckan /var/cache/dcor-server -user root ! -type d")
    assert made == ""


def test_inspect_finds_nothing_to_change(server: Machine) -> None:
    said = server.shell("source /usr/lib/ckan/default/bin/activate; dcor inspect --assume-yes 2>&1", timeout=300)
    assert "No changes made." in said
    assert "Changing" not in said
    assert "Creating" not in said


def test_nobody_can_read_a_secret_anywhere(server: Machine) -> None:
    assert secret_search.files_with_secrets(server, "nobody") == set()


def test_ckan_can_read_its_own_and_no_other(server: Machine) -> None:
    """CKAN's configuration and the copy that serves have its secrets; it cannot read those of engines, nginx, root."""
    (copy,) = server.shell("ls /var/lib/dcor-server/configurations/*/ckan.ini").split()
    assert secret_search.files_with_secrets(server, "www-data") == {"/etc/ckan/default/ckan.ini", copy}


def test_no_secret_is_written_down_or_handed_on(server: Machine) -> None:
    """Not even root finds one in logs, the journal, debconf, arguments or environments."""
    server.shell("journalctl --no-pager >/run/journal.txt")
    places = "/var/log /var/cache/debconf /var/lib/dpkg /usr/share/dcor-server /run/systemd /run/journal.txt"
    assert (
        secret_search.files_with_secrets(server, "root", f"{places} /proc/[0-9]*/cmdline /proc/[0-9]*/environ") == set()
    )


def _programs(server: Machine) -> list[str]:
    release = server.shell("basename $(readlink /var/lib/dcor-server/current)").strip()
    return [f"{release}/bin/ckan", f"{release}/bin/dcor"]
