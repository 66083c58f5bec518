"""Users can read only the files and connect only to the sockets that they need, and no secret leaks."""

from __future__ import annotations

import pytest
import secret_search
from dcor_dev.machine import Machine

#: Files that neither CKAN, which parses the files of users, nor nginx's workers may read; both run as www-data.
NOT_FOR_WWW_DATA = (
    "/etc/dcor-server/dcor-server.conf",
    "/etc/dcor-server/secrets/tls-key.pem",
    "/etc/dcor-server/secrets/filer-token.conf",
    "/etc/dcor-server/secrets/filer-key",
    "/etc/dcor-object-store/security.toml",
    "/etc/dcor-object-store/s3.json",
    "/var/lib/dcor-solr/home/security.json",
)
#: Files that only CKAN may read.
ONLY_FOR_WWW_DATA = ("/etc/ckan/default/ckan.ini", "/var/log/ckan/web.log")
SOCKETS = ("/run/redis-dcor/redis.sock", "/run/dcor-object-store/s3.sock", "/run/dcor-ckan/supervisor.sock")
#: In the notation of ss; Java listens on the IPv4 address with an IPv6 socket.
LOOPBACK = ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]")
REGION_AND_ADDRESS = (
    "import os, socket, sys; print(os.environ['AWS_DEFAULT_REGION'], *socket.getaddrinfo(sys.argv[1], 443)[0][4])"
)
CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


@pytest.mark.parametrize("path", NOT_FOR_WWW_DATA)
@pytest.mark.parametrize("user", ["www-data", "nobody"])
def test_files_of_root_and_the_engines_cannot_be_read_by_others(server: Machine, path: str, user: str) -> None:
    assert server.run("test", "-s", path, check=False).returncode == 0
    assert "Permission denied" in server.run("cat", path, user=user, check=False).stderr


@pytest.mark.parametrize("path", ONLY_FOR_WWW_DATA)
def test_files_of_ckan_cannot_be_read_by_others(server: Machine, path: str) -> None:
    assert server.run("head", "-1", path, user="www-data").returncode == 0
    assert "Permission denied" in server.run("cat", path, user="nobody", check=False).stderr


@pytest.mark.parametrize("path", SOCKETS)
def test_another_user_cannot_connect_to_a_socket(server: Machine, path: str) -> None:
    assert server.run("python3", "-c", CONNECT, path).returncode == 0
    refused = server.run("python3", "-c", CONNECT, path, user="nobody", check=False)
    assert "PermissionError" in refused.stderr


def test_only_nginx_listens_on_external_addresses(server: Machine) -> None:
    sockets = [
        line.split()[3].rsplit(":", 1)
        for line in server.shell("ss --no-header --listening --tcp --numeric").splitlines()
    ]
    assert {port for address, port in sockets if address not in LOOPBACK} == {"80", "443"}
    assert "8983" in {port for _, port in sockets}


def test_no_process_of_ckan_runs_as_root(server: Machine) -> None:
    users = server.shell(
        "ps -eo user:20,args | grep -E '/var/lib/dcor-server/releases/[^ ]*/bin/' | grep -v grep"
    ).splitlines()
    assert len(users) >= 8
    assert {line.split()[0] for line in users} == {"www-data"}


def test_the_working_directory_of_processes_is_not_writable_by_users(server: Machine) -> None:
    """Python, also that of uWSGI, imports modules from the working directory before those of the release."""
    directories = server.shell(
        "for p in $(pgrep -u www-data -f /var/lib/dcor-server/releases); do readlink /proc/$p/cwd; done"
    )
    assert set(directories.split()) == {"/"}


def test_programs_of_a_release_connect_to_the_site_by_the_loopback_address(server: Machine) -> None:
    """Independent of DNS, since behind NAT the public address may not lead to this computer."""
    assert server.run("getent", "hosts", server.hostname).stdout.split()[0] == "127.0.1.1"
    python = "/var/lib/dcor-server/current/bin/python"
    output = server.run(python, "-c", REGION_AND_ADDRESS, server.hostname).stdout
    assert output.split() == ["dcor", "127.0.0.1", "443"]


def test_the_commands_of_the_manual_do_not_run_as_root(server: Machine) -> None:
    manual = "source /usr/lib/ckan/default/bin/activate; command -v ckan dcor; ckan user list >/dev/null; dcor status >/dev/null"
    output = server.shell(manual)
    assert output.splitlines()[:2] == ["/var/lib/dcor-server/releases/" + part for part in _programs(server)]
    made = server.shell("find /data/ckan /var/lib/ckan /var/cache/dcor-server -user root ! -type d")
    assert made == ""


def test_dcor_inspect_finds_no_changes_to_make(server: Machine) -> None:
    output = server.shell("source /usr/lib/ckan/default/bin/activate; dcor inspect --assume-yes 2>&1", timeout=300)
    assert "No changes made." in output
    assert "Changing" not in output
    assert "Creating" not in output


def test_the_user_nobody_cannot_read_a_secret(server: Machine) -> None:
    assert secret_search.files_with_secrets(server, "nobody") == set()


def test_ckan_can_read_only_its_own_secrets(server: Machine) -> None:
    """They are in CKAN's configuration and in the active copy of it; those of the engines, nginx and root are not."""
    (copy,) = server.shell("ls /var/lib/dcor-server/configurations/*/ckan.ini").split()
    assert secret_search.files_with_secrets(server, "www-data") == {"/etc/ckan/default/ckan.ini", copy}


def test_no_secret_is_in_logs_debconf_or_processes(server: Machine) -> None:
    """Not even as root: logs, journal, debconf's database, arguments and environments have no secrets."""
    server.shell("journalctl --no-pager >/run/journal.txt")
    places = "/var/log /var/cache/debconf /var/lib/dpkg /usr/share/dcor-server /run/systemd /run/journal.txt"
    assert (
        secret_search.files_with_secrets(server, "root", f"{places} /proc/[0-9]*/cmdline /proc/[0-9]*/environ") == set()
    )


def _programs(server: Machine) -> list[str]:
    release = server.shell("basename $(readlink /var/lib/dcor-server/current)").strip()
    return [f"{release}/bin/ckan", f"{release}/bin/dcor"]
