"""The installed Solr loses no acknowledged updates, and rejects requests without the password."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pytest
from dcor_dev.machine import Machine
from engines import SOLR, SOLR_PASSWORD, SOLR_PORT, Answer, curl, kill, restored_afterwards, show, solr, wait_until

SITE = "site_id:crash"
#: To load the schema of a core anew.
RELOAD = "admin/cores?action=RELOAD&core={}"
#: The schema of the core that is not in use.
SCHEMA = "/var/lib/dcor-solr/home/configsets/ckan_b/conf/schema.xml"
#: Requests of CKAN, dcor-server, the readiness probe and monitoring.
USED = (
    "ckan/select?q=*:*",
    "ckan/update?commit=true",
    "ckan/schema?wt=json",
    "ckan/admin/ping",
    "ckan/admin/luke",
    "ckan_b/select?q=*:*",
    "ckan_b/update?commit=true",
    "ckan_b/schema?wt=json",
    "ckan_b/admin/ping",
    "ckan_b/admin/luke",
    RELOAD.format("ckan_b"),
    "admin/info/system",
    "admin/metrics",
)
#: Functions of Solr that are not needed.
UNUSED = (
    "",
    "admin/configs",
    "admin/collections",
    "admin/info/logging",
    "admin/authentication",
    "ckan_c/select?q=*:*",
    "ckan_b/config",
    "ckan/config",
    "ckan/export?q=*:*",
    "ckan/get?id=1",
    "ckan/replication?command=details",
    "ckan/stream",
    "../api/cores",
)


def _documents(numbers: Iterable[int], title: str) -> str:
    """Return documents like those of CKAN, so large that a missing replay of the update log would be noticed."""
    shape = {"site_id": "crash", "entity_type": "package", "state": "active", "validated_data_dict": "x" * 3000}
    names = [f"c{number}" for number in numbers]
    return json.dumps([{**shape, "index_id": name, "id": name, "name": name, "title": title} for name in names])


def _update(machine: Machine, text: str, commit: str) -> None:
    answer = solr(machine, f"ckan/update?commit={commit}", *SOLR_PASSWORD, text=text)
    assert answer.status == 200, answer.body


def _titles(machine: Machine) -> dict[str, str]:
    answer = solr(machine, f"ckan/select?q={SITE}&rows=1000&fl=index_id,title", *SOLR_PASSWORD)
    assert answer.status == 200, answer.body
    return {document["index_id"]: document["title"] for document in json.loads(answer.body)["response"]["docs"]}


def test_acknowledged_updates_and_deletions_survive_a_crash(server: Machine) -> None:
    """With CKAN's original schema, all 100 updates and 25 deletions by id were lost, without an error."""
    _update(server, _documents(range(200), "old"), commit="true")
    _update(server, _documents(range(100), "new"), commit="false")
    _update(server, json.dumps({"delete": [f"c{number}" for number in range(150, 175)]}), commit="false")
    others = " OR ".join(f"c{number}" for number in range(175, 200))
    _update(server, json.dumps({"delete": {"query": f"+index_id:({others}) +{SITE}"}}), commit="false")
    expected = {f"c{number}": "new" if number < 100 else "old" for number in range(150)}
    assert _titles(server) != expected, "The updates are committed already, so a replay of the log would not be tested."
    kill(server, SOLR)
    # Solr responds before the replay is complete (10 to 25 s for tens of thousands of documents).
    wait_until(lambda: _titles(server) == expected, seconds=60)
    _update(server, json.dumps({"delete": {"query": SITE}}), commit="true")


@pytest.mark.parametrize("credentials", [(), ("--user", "ckan:wrong"), ("--user", "solr:SolrRocks")])
def test_requests_without_the_password_are_rejected(server: Machine, credentials: tuple[str, ...]) -> None:
    answers = {path: solr(server, path, *credentials).status for path in USED}
    assert answers == dict.fromkeys(USED, 401)


def test_unused_functions_are_not_available_even_with_the_password(server: Machine) -> None:
    answers = {path: solr(server, path, *SOLR_PASSWORD).status for path in UNUSED}
    assert answers == dict.fromkeys(UNUSED, 404)


def _admin(machine: Machine) -> tuple[str, ...]:
    """Return curl's arguments for the password of who may reload cores."""
    return "--user", f"dcor-server:{machine.shell('cat /etc/dcor-server/secrets/solr-admin-password').strip()}"


@pytest.mark.parametrize("action", ["RELOAD", "STATUS", "UNLOAD", "CREATE"])
def test_ckan_cannot_administrate_cores(server: Machine, action: str) -> None:
    assert solr(server, f"admin/cores?action={action}&core=ckan_b&name=x", *SOLR_PASSWORD).status == 403


def test_nobody_can_add_a_core(server: Machine) -> None:
    assert solr(server, "admin/cores?action=CREATE&name=x&configSet=ckan", *_admin(server)).status in (400, 500)
    assert server.shell("ls /var/lib/dcor-solr/home").split() == sorted(
        ["ckan", "ckan_b", "configsets", "security.json", "solr.xml"]
    )


@pytest.fixture
def schema(server: Machine) -> Iterator[str]:
    """Return the path of the schema of the core that is not in use, which a test changes."""
    server.run("cp", "--archive", SCHEMA, f"{SCHEMA}.saved")
    yield SCHEMA
    server.run("mv", "--no-target-directory", f"{SCHEMA}.saved", SCHEMA)
    server.run("systemctl", "restart", SOLR, timeout=60)


def test_a_core_gets_another_schema_while_the_other_one_answers(server: Machine, schema: str) -> None:
    before = show(server, SOLR, "MainPID")
    server.shell(f"sed -i 's/name=.ckan-[0-9.]*./name=\"ckan-trial\"/' {schema}")
    assert solr(server, RELOAD.format("ckan_b"), *_admin(server)).status == 200
    assert "ckan-trial" in solr(server, "ckan_b/schema?wt=schema.xml", *SOLR_PASSWORD).body
    assert "ckan-trial" not in solr(server, "ckan/schema?wt=schema.xml", *SOLR_PASSWORD).body
    assert show(server, SOLR, "MainPID") == before


def test_a_schema_that_cannot_be_loaded_is_reported_and_the_other_core_goes_on(server: Machine, schema: str) -> None:
    """Also when Solr starts anew, and until a schema comes that it can load."""
    server.shell(f"cp {schema} /root/good.xml; echo '<schema unloadable>' >{schema}")
    assert solr(server, RELOAD.format("ckan_b"), *_admin(server)).status == 500
    server.run("systemctl", "restart", SOLR, timeout=60)
    answers = [solr(server, f"{core}/admin/ping", *SOLR_PASSWORD).status for core in ("ckan", "ckan_b")]
    assert answers == [200, 500]
    server.shell(f"cat /root/good.xml >{schema}")
    assert solr(server, RELOAD.format("ckan_b"), *_admin(server)).status == 200
    assert solr(server, "ckan_b/admin/ping", *SOLR_PASSWORD).status == 200


def test_the_core_responds_as_soon_as_the_unit_has_started(server: Machine) -> None:
    server.run("systemctl", "restart", SOLR)
    assert solr(server, "ckan/admin/ping", *SOLR_PASSWORD).status == 200


def test_without_a_password_the_unit_does_not_start_and_does_not_fail(server: Machine) -> None:
    security = "/var/lib/dcor-solr/home/security.json"
    with restored_afterwards(server, SOLR, security):
        server.run("rm", security)
        server.run("systemctl", "start", SOLR)
        assert show(server, SOLR, "ActiveState", "ConditionResult") == {
            "ActiveState": "inactive",
            "ConditionResult": "no",
        }
        assert server.failed_units() == []
    assert show(server, SOLR, "ActiveState") == {"ActiveState": "active"}


def test_a_wrong_password_of_the_probe_is_reported_without_delay(server: Machine) -> None:
    probe = "/etc/dcor-solr/probe.conf"
    with restored_afterwards(server, SOLR, probe):
        server.shell(f"echo 'user = \"ckan:wrong\"' > {probe}")
        assert server.run("systemctl", "start", SOLR, check=False, timeout=60).returncode == 1
        words = server.run("journalctl", "--unit", SOLR, "--lines=20").stdout
        assert "Solr rejects the password in /etc/dcor-solr/probe.conf" in words


def test_a_stop_is_clean(server: Machine) -> None:
    server.run("systemctl", "stop", SOLR)
    assert show(server, SOLR, "Result", "ActiveState") == {"Result": "success", "ActiveState": "inactive"}
    server.run("systemctl", "start", SOLR)


#: Listens on Solr's port if it can, and keeps what it is sent.
SQUATTER = """
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
while True:
    try:
        listener.bind((sys.argv[1], 8983))
        break
    except OSError as error:
        open("/var/tmp/refused", "a").write(f"{error.errno}\\n")
listener.listen()
open("/var/tmp/caught", "ab").close()
while True:
    connection = listener.accept()[0]
    open("/var/tmp/caught", "ab").write(connection.recv(65536) + b"\\n")
    connection.close()
"""
#: Wait until it has the port, or was refused a thousand times more.
TRIED = """
lines() { wc -l </var/tmp/refused; }
before=$(lines)
until [ "$(lines)" -gt $((before + 1000)) ] || [ -e /var/tmp/caught ]; do sleep 0.1; done
"""


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("end", ["stop", "kill --signal=KILL"])
def test_another_user_cannot_have_the_port_while_solr_does_not_run(server: Machine, address: str, end: str) -> None:
    server.shell("rm -f /var/tmp/refused /var/tmp/caught")
    server.write("/srv/squatter.py", SQUATTER)
    server.run("systemd-run", "--quiet", "--unit=squatter", "--uid=daemon", "python3", "/srv/squatter.py", address)
    try:
        server.shell(f"until [ -e /var/tmp/refused ]; do sleep 0.1; done; systemctl {end} {SOLR}", timeout=60)
        server.shell(TRIED, timeout=60)
        server.run("systemctl", "start", SOLR, check=False, timeout=60)
        assert server.shell("cat /var/tmp/caught || echo nothing") == "nothing\n"
        assert solr(server, "ckan/admin/ping", *SOLR_PASSWORD).status == 200
    finally:
        server.run("systemctl", "stop", "squatter")


def test_a_request_waits_for_solr_and_starts_it(server: Machine) -> None:
    server.run("systemctl", "stop", SOLR)
    assert show(server, SOLR_PORT, "ActiveState", "SubState") == {"ActiveState": "active", "SubState": "listening"}
    # 503 while it loads the core
    assert solr(server, "ckan/admin/ping", *SOLR_PASSWORD).status in (200, 503)
    wait_until(lambda: show(server, SOLR, "ActiveState")["ActiveState"] == "active", seconds=60)


@pytest.mark.long
def test_the_port_is_not_released_when_solr_fails_again_and_again(server: Machine) -> None:
    jetty = "/usr/share/dcor-solr/jetty.xml"
    with restored_afterwards(server, SOLR, jetty):
        server.shell(f"echo broken >{jetty}")
        for _ in range(6):
            assert server.run("systemctl", "start", SOLR, check=False, timeout=60).returncode == 1
        assert solr(server, "ckan/admin/ping", "--max-time", "3").status == 0
        assert show(server, SOLR_PORT, "ActiveState") == {"ActiveState": "active"}


def test_the_user_of_solr_cannot_change_its_configuration(server: Machine) -> None:
    files = "/var/lib/dcor-solr/home/security.json /etc/dcor-solr/probe.conf /var/lib/dcor-solr/home/solr.xml"
    for file in files.split():
        assert server.run("test", "-w", file, user="dcor-solr", check=False).returncode == 1, file
    assert server.run("cat", "/etc/dcor-solr/probe.conf", user="www-data", check=False).returncode == 1


def test_a_dataset_is_found_by_the_last_of_very_many_labels(server: Machine) -> None:
    """CKAN asks so for what a user may see. Quoted and joined by OR, as upstream does, Solr accepts 1,024 labels."""
    document = {**json.loads(_documents([1], "labelled"))[0], "permission_labels": ["group-4999"]}
    _update(server, json.dumps([document]), commit="true")
    labels = [f"group-{number}" for number in range(5000)]
    joined = " OR ".join(f'"{label}"' for label in labels)
    assert "too many boolean clauses" in _filtered(server, f"+permission_labels:({joined})").body
    answer = _filtered(server, "{!terms f=permission_labels}" + ",".join(labels))
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["response"]["numFound"] == 1
    without = json.loads(_filtered(server, "{!terms f=permission_labels}" + ",".join(labels[:-1])).body)
    assert without["response"]["numFound"] == 0
    _update(server, json.dumps({"delete": {"query": SITE}}), commit="true")


def _filtered(machine: Machine, condition: str) -> Answer:
    """Search with a condition that is too long for an address, as CKAN's library does."""
    form = ("--data-urlencode", "fq@-", "--data", "q=*:*&fl=id")
    return curl(machine, *SOLR_PASSWORD, *form, "http://127.0.0.1:8983/solr/ckan/select", text=condition)
