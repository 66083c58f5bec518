"""A release with another schema of Solr: its core is made beside the one in use, and nobody notices.

All tests share a machine, and each begins with a healthy server, whose releases follow each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import traffic
import watch
from availability import kinds_of_users, measure_availability, measure_kinds, table, written
from dcor_dev import layers
from dcor_dev.machine import Machine
from migrations import active, sql
from power_cut import power_cut
from users import publish_dataset
from website import assert_healthy, serves, wait_for_page, wait_until_idle

pytestmark = pytest.mark.upgrades

SCHEMA = "/usr/lib/ckan/default/lib/python3*/site-packages/ckan/config/solr/schema.xml"
#: install(1) replaces the file by another one, so that the releases keep theirs, which are links to the same one
NEXT = r"""
test -e /root/schema.xml || cp {schema} /root/schema.xml
cp /root/schema.xml /root/next.xml
sed -i '{edit}' /root/next.xml
install -m 644 /root/next.xml $(echo {schema})
echo 'SCHEMA = {number}' >>/usr/share/dcor-server/dcor_pkg/runtime/__init__.py
"""
#: another field, and another kind of one that all datasets have
FIELD = 's#^    <field name="metadata_modified" type="date"#    <field name="dcor_trial_{number}" type="string"/>\\n    <field name="metadata_modified" type="{kind}"#'
BROKEN = 's#type="date"#type="of_no_such_name"#'
STATE = "/var/lib/dcor-server"
INI = f"{STATE}/configurations/$(sed -n 's#.*unix:/.*/\\(.*\\)\\.sock.*#\\1#p' {STATE}/nginx/upstream.conf)/ckan.ini"
SOLR = "curl --silent --fail --config /etc/dcor-solr/probe.conf 'http://127.0.0.1:8983/solr/{core}/{target}'"
DOCUMENTS = "select?q=%2Bstate:active+%2Bdataset_type:dataset&fl=id,metadata_modified&rows=10000&wt=json"
DATASETS = "SELECT id || ' ' || to_char(metadata_modified, 'YYYY-MM-DD\"T\"HH24:MI:SS') FROM package WHERE type = 'dataset' AND state = 'active'"
#: the command with which the core beside is filled
FILLS = "[s]earch-index rebuild --force"


@pytest.fixture(scope="module")
def machine(installed: layers.Stack) -> Iterator[Machine]:
    """Return a running server with a dataset, that only these tests converge."""
    with Machine("search-core", installed) as booted:
        wait_until_idle(booted)
        watch.switch_off(booted)
        publish_dataset(booted)
        yield booted


@pytest.fixture
def server(machine: Machine) -> Machine:
    """Return the server, which serves, whatever a test has left; it may hold a release back."""
    assert (serves(machine), machine.failed_units()) == (True, [])
    assert_all_found(machine)
    return machine


def core(machine: Machine) -> str:
    """Return the core that the programs use which serve."""
    return machine.shell(f"sed -n 's#^solr_url = .*/##p' {INI}").strip()


def next_schema(machine: Machine, number: int, edit: str) -> None:
    machine.shell(NEXT.format(schema=SCHEMA, edit=edit, number=number))


def loaded(machine: Machine, name: str) -> str:
    """Return the schema that Solr has loaded for a core."""
    return machine.shell(SOLR.format(core=name, target="schema?wt=schema.xml"))


def assert_all_found(machine: Machine) -> None:
    """Assert that the core in use has each dataset as it is in the database."""
    answer = json.loads(machine.shell(SOLR.format(core=core(machine), target=DOCUMENTS)))
    found = {f"{it['id']} {it['metadata_modified'][:19]}" for it in answer["response"]["docs"]}
    assert found == set(sql(machine, DATASETS).splitlines())


def process_of_solr(machine: Machine) -> str:
    return machine.shell("systemctl show --property=MainPID --value dcor-solr.service").strip()


@pytest.mark.long
def test_nobody_notices_another_schema_and_each_upload_is_found(server: Machine) -> None:
    former, release, solr = core(server), active(server), process_of_solr(server)
    next_schema(server, 1, FIELD.format(number=1, kind="string"))
    kinds, users = kinds_of_users(server), traffic.begin(server)
    measured = measure_kinds(server, "dcor-server converge", kinds, timeout=900)
    done = users.end()
    print(f"\n{table(measured)}\n{done}")
    assert {kind: found.failed for kind, found in measured.items() if found.failed} == {}
    assert min(found.requests for found in measured.values()) > 20
    assert written(server) == measured["write"].succeeded
    assert (done["uploads"]["datasets"] >= 1, done["jobs"]["wrong"]) == (True, [])
    assert (core(server) != former, active(server) != release) == (True, True)
    assert "dcor_trial_1" in loaded(server, core(server))
    assert "dcor_trial_1" not in loaded(server, former)
    assert process_of_solr(server) == solr, "Solr was restarted"
    assert_all_found(server)
    assert "0 changed" in server.shell("dcor-server converge")


@pytest.mark.long
def test_a_schema_that_solr_cannot_load_leaves_core_and_release(server: Machine) -> None:
    before = core(server), active(server), process_of_solr(server)
    next_schema(server, 2, BROKEN)
    assert measure_availability(server, "dcor-server converge || [ $? = 1 ]").failed == ()
    ended = server.run("dcor-server", "converge", check=False, timeout=900)
    words = "search core: Solr cannot load the schema of the release"
    assert (ended.returncode, words in ended.stdout) == (1, True), ended.stdout
    assert (core(server), active(server), process_of_solr(server)) == before
    assert_all_found(server)
    # Held back for a day after the same failure twice, it keeps nothing else from being done.
    assert server.run("dcor-server", "converge", check=False, timeout=900).returncode == 0
    status = server.run("dcor-server", "status", check=False)
    assert (status.returncode, words in status.stdout) == (3, True)
    # Also a Solr that starts anew serves, with a core beside that it cannot load.
    server.run("systemctl", "restart", "dcor-solr.service", timeout=120)
    assert serves(server)


@pytest.mark.long
def test_the_way_back_finds_what_was_written_since(server: Machine) -> None:
    next_schema(server, 3, FIELD.format(number=3, kind="date"))
    former, release = core(server), active(server)
    server.run("dcor-server", "converge", timeout=900)
    assert core(server) != former
    publish_dataset(server)
    assert measure_availability(server, "dcor-server release rollback").failed == ()
    assert (core(server), active(server)) == (former, release)
    assert_all_found(server)
    assert "0 changed" in server.shell("dcor-server converge")
    server.run("dcor-server", "converge", "--retry-release", timeout=900)
    assert core(server) != former
    assert_all_found(server)


@pytest.mark.long
def test_after_a_power_cut_while_the_core_is_filled_the_next_converge_goes_on(server: Machine) -> None:
    former, release = core(server), active(server)
    next_schema(server, 4, FIELD.format(number=4, kind="string"))
    power_cut(
        server,
        lambda machine: machine.run("pgrep", "--full", FILLS, check=False).returncode == 0,
        *("dcor-server", "converge"),
    )
    wait_for_page(server)
    assert (core(server), active(server)) == (former, release)
    assert_all_found(server)
    # The boot's timer starts the same unit.
    server.run("systemctl", "start", "dcor-converge.service", timeout=900)
    assert core(server) != former
    assert "dcor_trial_4" in loaded(server, core(server))
    assert_all_found(server)
    assert_healthy(server)
