"""External services are validated and used, while ours are stopped; after a change back, no data are lost.

All tests share a machine, which changes to external services in steps, and back. They run on the same machine, but do
not belong to our packages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import external_services
import pytest
import secret_search
from dcor_dev import layers
from dcor_dev.machine import Machine
from running_services import start_times
from test_reconfigure import dcor, fails_without_change
from users import make_user, run_client, upload_measurements
from website import CURL, SITE, serves, wait_for_page

WRONG = f"@{external_services.DIRECTORY}/wrong"
RIGHT = f"@{external_services.DIRECTORY}/password"
SOCKETS = ("dcor-store-door@s3.socket", "dcor-store-door@filer.socket")
BUNDLE = "/etc/dcor-server/tls/bundle.pem"


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server, and external services on the same machine."""
    with Machine("external", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        external_services.install(machine)
        yield machine


def assignments(key: str, address: str, password: str = RIGHT) -> tuple[str, str]:
    """Return the arguments of `dcor-server set` for a service."""
    return f"{key}={address}", f"{external_services.PASSWORD_SETTINGS[key]}={password}"


def address(key: str, old: str = "", new: str = "") -> str:
    """Return the correct address of a service, with `old` replaced by `new`."""
    assert old in external_services.ADDRESSES[key]
    return external_services.ADDRESSES[key].replace(old, new) if old else external_services.ADDRESSES[key]


#: settings, and words of the message
Invalid = list[tuple[tuple[str, ...], str]]
#: A service that is not there, and one that rejects the password or its use, of each kind.
INVALID: Invalid = [
    # No service, or not the right one
    (
        assignments("database", address("database", "db.", "nowhere.")),
        "the name nowhere.example.org cannot be resolved here",
    ),
    ((f"database={address('database')}",), "its password is missing (dcor-server/database-password)"),
    # PostgreSQL
    (assignments("database", address("database"), WRONG), 'password authentication failed for user "dcor"'),
    # Redis
    (assignments("redis", address("redis"), WRONG), "it rejects the password: WRONGPASS"),
    # Solr
    (assignments("solr", address("solr"), WRONG), "it rejects the password of ckan"),
    # S3
    (assignments("object-store", address("object-store"), WRONG), "SignatureDoesNotMatch"),
    (assignments("object-store", address("object-store")), "nobody could read public measurements there"),
]
#: What else may be wrong; tests/unit/services/test_external.py has the answers of these services.
ALSO_INVALID: Invalid = [
    # No service, or not the right one
    (
        assignments("database", address("database", "5440", "5441")),
        "db.example.org port 5441 cannot be reached: Connection refused",
    ),
    (assignments("redis", "rediss://localhost:80"), "localhost port 80 does not speak TLS"),
    # PostgreSQL
    (assignments("database", address("database", "archive", "attic")), 'database "attic" does not exist'),
    (assignments("database", address("database", "archive", "latin")), "the encoding of latin is LATIN1, not UTF8"),
    (
        assignments("database", address("database", "dcor@", "reader@")),
        "reader cannot create tables in archive: permission denied",
    ),
    # Redis
    (assignments("redis", "redis://localhost:6379"), "it accepts everybody without a password"),
    (
        assignments("redis", address("redis", "/3", "/99")),
        "it does not allow CKAN to write: ERR DB index is out of range",
    ),
    # Solr
    (assignments("solr", address("solr", "solr/ckan", "solr/other")), "it has no core"),
    (
        assignments("solr", "http://ckan@localhost:8991/solr/old"),
        "its schema is ckan-2.9, and the installed CKAN needs ckan-2.11",
    ),
    (assignments("solr", "http://ckan@localhost:8991/solr/read"), "ckan cannot update its index (it answers 403)"),
    # S3
    (assignments("object-store", address("object-store", "AKEXTERNAL", "AKNOBODY")), "InvalidAccessKeyId"),
    (
        (*assignments("object-store", address("object-store", "AKEXTERNAL", "AKREADER")), "public-datasets=no"),
        "AKREADER cannot create buckets",
    ),
]


@pytest.mark.long
def test_an_unusable_service_is_reported_before_the_first_change(machine: Machine) -> None:
    """Settings, secrets and services stay as they are."""
    for key, port in (("redis", 6390), ("object-store", 8333)):
        assert f"port {port} is not trusted: " in fails_without_change(
            machine, "set", *external_services.assignments(key)
        )
    assert "certificate verify failed" in fails_without_change(
        machine, "set", *external_services.assignments("database")
    )
    machine.shell(external_services.TRUST)
    assert_reported(machine, INVALID)


@pytest.mark.long
def test_whatever_else_is_wrong_with_a_service_is_reported_before_the_first_change(machine: Machine) -> None:
    external_services.start_stub(machine)
    machine.run("systemctl", "start", "redis-server")
    assert_reported(machine, ALSO_INVALID)
    machine.run("systemctl", "stop", "redis-server")


def assert_reported(machine: Machine, invalid: Invalid) -> None:
    for arguments, words in invalid:
        output = fails_without_change(machine, "set", *arguments)
        question = arguments[0].partition("=")[0]
        assert words in output, arguments
        assert f"dcor-server/{question} = " in output, arguments
        assert external_services.PASSWORD not in output
    assert "external-" not in machine.shell("ls /etc/dcor-server/secrets")
    assert "dcor-server-check" not in external_services.buckets(machine)


@pytest.mark.long
def test_redis_and_the_store_can_be_changed_without_the_database(machine: Machine) -> None:
    dataset = upload_measurements(machine)["dataset"]
    before = start_times(machine)
    dcor(machine, "set", *external_services.assignments("redis", "object-store"), "public-datasets=no")
    assert serves(machine)
    assert _resource(machine, dataset)["s3_url"].startswith("https://s3.example.org:8333/circle-")
    assert states(machine, "redis-server@dcor", "dcor-object-store") == ["inactive disabled"] * 2
    assert states(machine, *SOCKETS) == ["inactive "] * 2
    _assert_restarted(
        before, start_times(machine), units=("redis-server@dcor.service", "dcor-object-store.service", *SOCKETS)
    )
    owner = make_user(machine, "owner")
    seen = run_client(machine, "roundtrip", "--token", owner.token, "--certificate", BUNDLE)
    assert seen["s3_url"].startswith("https://s3.example.org:8333/circle-")
    assert "circle-" in external_services.buckets(machine)
    assert "Content-Security-Policy: " not in machine.shell(f"{CURL} --head {SITE}/circle-x")
    assert "https://s3.example.org:8333" in machine.shell(f"{CURL} --head {SITE}/")
    assert missing_files(machine) == "https://s3.example.org:8333 lacks files: 3 of 4"


def test_all_services_can_be_external_also_after_a_reboot(machine: Machine) -> None:
    machine.shell(external_services.TRUST)
    dcor(machine, "set", *external_services.assignments(*external_services.ADDRESSES), "public-datasets=no")
    assert serves(machine)
    assert search(machine) == 0
    owner = make_user(machine, "owner")
    seen = run_client(machine, "roundtrip", "--token", owner.token, "--certificate", BUNDLE)
    assert seen["found"] == 1
    machine.reboot()
    wait_for_page(machine)
    assert serves(machine)
    again = ("--read", seen["dataset"], seen["resource"])
    assert run_client(machine, "roundtrip", "--token", owner.token, "--certificate", BUNDLE, *again) == seen
    assert states(machine, "redis-server@dcor", "dcor-object-store", "dcor-solr") == ["inactive disabled"] * 3
    assert machine.shell("pg_lsclusters --no-header | awk '$2 == \"main\" {print $4}'") == "down\n"
    assert machine.failed_units() == []
    machine.run("dcor-server", "check")
    status = json.loads(machine.run("dcor-server", "status", "--json").stdout)
    parts = {part["name"]: part["detail"] for part in status["parts"]}
    assert parts["database"] == "postgresql://db.example.org:5440/archive"
    assert {"redis", "solr", "object-store"} <= set(parts)


@pytest.mark.long
def test_a_new_database_may_not_remove_the_objects_of_the_former_one_until_an_administrator_says_so(
    machine: Machine,
) -> None:
    for arguments in (("unknown-objects", "--yes", "--days", "0"), ("nightly",)):
        refused = machine.run("dcor-server", *arguments, check=False, timeout=900)
        assert refused.returncode == 1
        assert "because it does not have the mark of the database archive" in " ".join(refused.stderr.split())
    machine.shell("touch /etc/dcor-server/take-up-object-store")
    assert "mark of the object store" in dcor(machine, "converge")
    assert not machine.path("/etc/dcor-server/take-up-object-store").exists()
    assert "0 changed" in dcor(machine, "converge")
    machine.run("dcor-server", "unknown-objects")
    machine.run("dcor-server", "nightly", timeout=900)


def test_passwords_of_external_services_cannot_be_read_by_other_users(machine: Machine) -> None:
    assert secret_search.files_with_secrets(machine, "nobody", "/etc /run /srv /tmp /usr/local /var /proc") == set()
    ini = machine.run("stat", "--format=%U:%G %a", "/etc/ckan/default/ckan.ini").stdout
    assert ini == "root:www-data 640\n"
    assert external_services.PASSWORD not in machine.shell(
        "debconf-show dcor-server; cat /var/log/dcor-server/* /etc/dcor-server/*.conf"
    )


@pytest.mark.long
def test_data_can_be_moved_while_the_store_is_external(machine: Machine) -> None:
    output = dcor(machine, "move-data", "/srv/data")
    assert "The measurements are in https://s3.example.org:8333 and stay there." in output
    assert states(machine, "dcor-object-store") == ["inactive disabled"]
    machine.shell("rm -rf /data")
    dcor(machine, "move-data", "/data")


def test_an_unreachable_service_is_reported_and_nothing_is_changed(machine: Machine) -> None:
    machine.run("systemctl", "stop", "store-external")
    assert "s3.example.org port 8333 cannot be reached" in fails_without_change(machine, "converge")
    assert "s3.example.org port 8333 cannot be reached" in machine.run("dcor-server", "status", check=False).stdout
    machine.shell(f"systemctl start store-external; {external_services.WAIT_UNTIL_READY}")


@pytest.mark.long
def test_a_change_back_to_local_services_restores_all_data(machine: Machine) -> None:
    dataset = upload_measurements(machine)["dataset"]
    dcor(machine, "set", *(f"{key}=local" for key in external_services.ADDRESSES), "public-datasets=yes")
    assert serves(machine)
    assert search(machine) == 1
    resource = _resource(machine, dataset)
    assert resource["s3_url"].startswith(f"{SITE}/circle-")
    assert machine.shell(f"{CURL} --output /dev/null --write-out '%{{http_code}}' {resource['s3_url']}") == "200"
    on = ("redis-server@dcor", "dcor-object-store", "dcor-solr.socket", "dcor-solr", "dcor-store-door@s3.socket")
    assert states(machine, *on) == ["active enabled"] * len(on)
    machine.reboot()
    wait_for_page(machine)
    assert missing_files(machine) == f"{SITE} lacks files: 1 of 4"


@pytest.mark.long
def test_a_postgresql_cluster_with_another_database_is_not_stopped(machine: Machine) -> None:
    machine.run("runuser", "-u", "postgres", "--", "createdb", "payroll")
    dcor(machine, "set", *external_services.assignments("database"))
    assert machine.shell("pg_lsclusters --no-header | awk '$2 == \"main\" {print $4}'") == "online\n"
    assert missing_files(machine) == f"{SITE} lacks files: 1 of 1"


def missing_files(machine: Machine) -> str:
    """Return what a check says of files that were left in another store, and assert that nothing else is wrong."""
    checked = machine.run("dcor-server", "check", check=False)
    assert re.search("^0 changed, [0-9]+ unchanged, 1 failed$", checked.stdout, re.MULTILINE)
    assert [checked.returncode, machine.run("dcor-server", "status", check=False).returncode] == [3, 3]
    (found,) = set(re.findall(r"https://\S+ lacks files: \d+ of \d+", checked.stdout))
    return str(found)


def states(machine: Machine, *units: str) -> list[str]:
    """Return the state of each unit, and whether it is enabled."""
    shown = machine.run("systemctl", "show", "--property=ActiveState,UnitFileState", *units).stdout
    return [" ".join(line.partition("=")[2] for line in block.splitlines()) for block in shown.strip().split("\n\n")]


def search(machine: Machine) -> int:
    """Return the number of datasets that a guest finds."""
    answer: dict[str, Any] = json.loads(machine.shell(f"{CURL} --cookie dcor=x '{SITE}/api/3/action/package_search'"))
    return int(answer["result"]["count"])


def _resource(machine: Machine, dataset: str) -> dict[str, Any]:
    answer = json.loads(machine.shell(f"{CURL} --cookie dcor=x '{SITE}/api/3/action/package_show?id={dataset}'"))
    resource: dict[str, Any] = answer["result"]["resources"][0]
    return resource


def _assert_restarted(before: dict[str, str], after: dict[str, str], units: tuple[str, ...]) -> None:
    """Assert that exactly the given services were stopped or restarted."""
    changed = {unit for unit in before if before[unit] != after[unit]}
    assert changed == {f"Id={unit}" for unit in units}
