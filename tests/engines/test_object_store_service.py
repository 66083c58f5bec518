"""The installed object store requires credentials, stores its data in the data directory and loses nothing."""

from __future__ import annotations

import re

import pytest
from dcor_dev.machine import Machine
from engines import FILER, S3, STORE, curl, filer, kill, restored_afterwards, s3, show

BUCKET = "circle-00000000-0000-0000-0000-000000000000"
OBJECT = f"{BUCKET}/resource/abc/def/0123"
DIRECTORY = "/data/object-store"
WRITING = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def stored(server: Machine) -> str:
    """Upload an object, and return its path in the filer."""
    assert s3(server, "PUT", BUCKET).status in (200, 409)
    assert s3(server, "PUT", OBJECT, text="measured").status == 200
    return f"buckets/{OBJECT}"


def _token(machine: Machine) -> str:
    found = re.search(r'"Bearer (.*)"', machine.run("cat", "/etc/dcor-server/secrets/filer-token.conf").stdout)
    assert found
    return found[1]


@pytest.mark.parametrize("method", ["GET", "HEAD", *WRITING])
def test_the_filer_rejects_requests_without_a_token(server: Machine, stored: str, method: str) -> None:
    """CKAN and its workers, which parse files of users, can connect to its socket, but may use only S3."""
    places = (stored, "", "buckets/", "etc/iam/", "topics/.system/log/", f"{stored}?metadata=true", ".tus/buckets/x")
    answers = {place: filer(server, method, place).status for place in places}
    assert answers == dict.fromkeys(places, 401)
    assert s3(server, "GET", OBJECT) == s3(server, "GET", OBJECT, user="root")
    assert s3(server, "GET", OBJECT).body == "measured"


def test_the_token_of_nginx_allows_only_reading_objects(server: Machine, stored: str) -> None:
    token = _token(server)
    assert filer(server, "GET", stored, token).body == "measured"
    assert filer(server, "HEAD", stored, token).status == 200
    assert {method: filer(server, method, stored, token).status for method in WRITING} == dict.fromkeys(WRITING, 401)
    assert filer(server, "GET", "etc/iam/identity.json", token).status == 401
    assert filer(server, "GET", f"buckets/{BUCKET}/", token).status == 403, "The filer lists a bucket."
    assert filer(server, "GET", stored).status == 401


def test_s3_rejects_unsigned_requests(server: Machine, stored: str) -> None:
    unsigned = {
        path: curl(server, "--unix-socket", S3, f"http://localhost/{path}").status for path in ("", BUCKET, OBJECT)
    }
    assert unsigned == {"": 403, BUCKET: 403, OBJECT: 403}


@pytest.mark.parametrize("user", ["www-data", "dcor-solr", "daemon"])
def test_other_users_cannot_read_the_files(server: Machine, stored: str, user: str) -> None:
    for command in (("ls", DIRECTORY), ("cat", f"{DIRECTORY}/1.dat"), ("cat", "/etc/dcor-object-store/s3.json")):
        done = server.run(*command, user=user, check=False)
        assert done.returncode != 0, command
        assert "Permission denied" in done.stderr, command


@pytest.mark.parametrize("socket", [S3, FILER])
def test_only_the_group_of_the_web_server_can_connect_to_the_sockets(server: Machine, socket: str) -> None:
    reached = {
        user: curl(server, "--unix-socket", socket, "http://localhost/", user=user).status
        for user in ("www-data", "daemon")
    }
    assert reached == {"www-data": 403 if socket == S3 else 401, "daemon": 0}


def test_only_solr_listens_on_a_port_and_on_the_loopback_address(server: Machine) -> None:
    lines = server.run("ss", "--listening", "--tcp", "--udp", "--numeric", "--no-header").stdout.splitlines()
    addresses = {line.split()[4] for line in lines}
    outside = {address for address in addresses if not re.match(r"127\.|\[::1\]|\[::ffff:127\.", address)}
    assert outside == set()
    assert {address.rpartition(":")[2] for address in addresses} == {"8983"}, "Solr's"


def test_the_store_has_a_network_namespace_of_its_own(server: Machine) -> None:
    pid = show(server, STORE, "MainPID")["MainPID"]
    assert server.run("readlink", f"/proc/{pid}/ns/net").stdout != server.run("readlink", "/proc/1/ns/net").stdout


def test_acknowledged_objects_survive_a_crash(server: Machine, stored: str) -> None:
    assert s3(server, "PUT", f"{BUCKET}/resource/abc/def/last", text="the last words").status == 200
    kill(server, STORE)
    assert s3(server, "GET", f"{BUCKET}/resource/abc/def/last").body == "the last words"
    assert s3(server, "GET", OBJECT).body == "measured"


def test_objects_can_be_read_as_soon_as_the_unit_has_started(server: Machine, stored: str) -> None:
    server.run("systemctl", "restart", STORE)
    assert s3(server, "GET", OBJECT).body == "measured"


def test_the_first_stop_of_a_new_store_is_clean(server: Machine) -> None:
    """Without volumes, the store created some while it stopped, and hung until it was killed."""
    with restored_afterwards(server, STORE, DIRECTORY):
        server.shell(f"rm -r {DIRECTORY} && install -d -m 0700 -o dcor-store -g dcor-store {DIRECTORY}")
        server.run("systemctl", "start", STORE)
        server.run("systemctl", "stop", STORE)
        assert show(server, STORE, "Result", "ActiveState") == {"Result": "success", "ActiveState": "inactive"}
        server.shell(f"rm -r {DIRECTORY}")


def test_the_store_does_not_start_without_the_disk(server: Machine) -> None:
    marker = "/data/.dcor-server"
    with restored_afterwards(server, STORE, marker):
        server.run("rm", marker)
        assert server.run("systemctl", "start", STORE, check=False).returncode == 1
        assert show(server, STORE, "ActiveState", "AssertResult") == {"ActiveState": "inactive", "AssertResult": "no"}


def test_the_unit_fails_when_the_filer_needs_no_token(server: Machine) -> None:
    """Without a key in its configuration, weed starts all the same, and serves everybody."""
    file = "/etc/dcor-object-store/security.toml"
    with restored_afterwards(server, STORE, file):
        server.shell(f"echo > {file}")
        assert server.run("systemctl", "start", STORE, check=False, timeout=100).returncode == 1
        words = server.run("journalctl", "--unit", STORE, "--lines=200").stdout
        assert re.search(r"The filer answers \d+ to a request without credentials, not 401", words)
