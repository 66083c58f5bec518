"""Another user of the machine who takes the port of an engine that does not run is sent nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dcor_dev.machine import Machine
from postgresql_cluster import LET_START, STOP_FOR_GOOD
from website import wait_for_page

CAUGHT = "/var/tmp/caught"
#: As a PostgreSQL without TLS that asks for the password in clear (PostgreSQL, "Message Formats"); keeps what it gets.
FALSE_POSTGRESQL = f"""
import socket, struct, threading

def answer(connection):
    with connection, open({CAUGHT!r}, "ab") as caught:
        while data := connection.recv(65536):
            caught.write(data)
            caught.flush()
            if data.startswith(b"p"):
                break
            tls = len(data) == 8 and struct.unpack("!ii", data)[1] == 80877103
            connection.sendall(b"N" if tls else b"R" + struct.pack("!ii", 8, 3))

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 5432))
listener.listen()
open({CAUGHT!r}, "ab").close()
while True:
    threading.Thread(target=answer, args=[listener.accept()[0]]).start()
"""


@pytest.fixture
def without_postgresql(server: Machine) -> Iterator[Machine]:
    """Return the server while another user listens on the port of PostgreSQL, which is stopped."""
    server.write("/srv/postgresql.py", FALSE_POSTGRESQL)
    server.shell(STOP_FOR_GOOD)
    server.run("systemd-run", "--quiet", "--unit=squatter", "--uid=daemon", "python3", "/srv/postgresql.py")
    try:
        server.shell(f"until [ -e {CAUGHT} ]; do sleep 0.1; done", timeout=30)
        yield server
    finally:
        server.run("systemctl", "stop", "squatter")
        server.shell(f"rm {CAUGHT}; {LET_START}; systemctl restart postgresql")
        wait_for_page(server)


def test_who_takes_the_port_of_postgresql_is_asked_by_nobody(without_postgresql: Machine) -> None:
    machine = without_postgresql
    assert machine.run("dcor-server", "status", check=False).returncode == 3
    assert machine.run("dcor-server", "converge", check=False).returncode == 1
    assert machine.run("ckan", "user", "list", check=False, timeout=120).returncode != 0
    machine.shell(
        "curl --silent --output /dev/null --max-time 60 --insecure https://dcor.example.org/dataset/", check=False
    )
    assert machine.path(CAUGHT).read_bytes() == b""


def test_the_site_works_while_another_user_holds_that_port(without_postgresql: Machine) -> None:
    without_postgresql.shell(LET_START)
    wait_for_page(without_postgresql)
    assert without_postgresql.path(CAUGHT).read_bytes() == b""


def test_no_password_of_the_local_database_exists(server: Machine) -> None:
    assert "sqlalchemy.url = postgresql://www-data@/ckan_default?host=" in server.shell(
        "cat /etc/ckan/default/ckan.ini"
    )
    assert server.run("ls", "/etc/dcor-server/secrets/database-password", check=False).returncode == 2
    roles = "SELECT count(*) FROM pg_authid WHERE rolname IN ('www-data', 'ckan_default') AND rolpassword IS NOT NULL"
    assert server.run("psql", "--tuples-only", "--command", roles, "postgres", user="postgres").stdout.strip() == "0"


@pytest.mark.parametrize("user", ["nobody", "dcor-solr", "redis"])
def test_others_cannot_log_in_to_the_database(server: Machine, user: str) -> None:
    for host in ("/var/run/postgresql", "127.0.0.1"):
        argv = ("psql", "--no-password", f"--host={host}", "--username=www-data", "--command=SELECT 1", "ckan_default")
        assert server.run(*argv, user=user, check=False).returncode == 2


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
def test_nobody_else_can_take_the_port_of_solr(server: Machine, address: str) -> None:
    family = "AF_INET6" if ":" in address else "AF_INET"
    bind = (
        f"import socket; s = socket.socket(socket.{family}); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
        f"s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); s.bind(('{address}', 8983))"
    )
    server.run("systemctl", "stop", "dcor-solr.service")
    try:
        refused = server.run("python3", "-c", bind, user="daemon", check=False)
    finally:
        server.run("systemctl", "start", "dcor-solr.service")
    assert "Address already in use" in refused.stderr


def test_another_user_cannot_hold_the_lock_of_the_server(server: Machine) -> None:
    lock = "/run/dcor-server.lock"
    server.run("chmod", "0644", lock)
    assert server.run("dcor-server", "converge").returncode == 0
    assert "Permission denied" in server.run("flock", "--nonblock", lock, "true", user="nobody", check=False).stderr


@pytest.mark.long
def test_a_setting_is_not_saved_while_another_command_runs(server: Machine) -> None:
    before = server.run("cat", "/etc/dcor-server/dcor-server.conf").stdout
    held = "exec 9>>/run/dcor-server.lock; flock 9; dcor-server set site-title=Unsaved"
    refused = server.run("bash", "-c", held, check=False, timeout=120)
    assert (refused.returncode, "Nothing was changed" in refused.stderr) == (1, True)
    assert server.run("cat", "/etc/dcor-server/dcor-server.conf").stdout == before
