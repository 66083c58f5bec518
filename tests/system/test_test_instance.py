"""A test instance on a real server, without a network: nothing of production changes, and nothing of it is left."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from full_disk import full_disk
from website import wait_until_idle

TREE = Path(__file__).resolve().parents[2]
THEME = "ckanext-dcor_theme"
SUITES = (
    *("ckanext-dc_log_view", "ckanext-dc_serve", "ckanext-dc_view", "ckanext-dcor_depot", "ckanext-dcor_schemas"),
    *(THEME, "dcor_control", "dcor_shared"),
)
COMMAND = "dcor-server test-instance"
#: what production consists of: database, index, objects, its files and their owners, units
PRODUCTION = """
runuser -u postgres -- pg_dump ckan_default 2>/dev/null | grep -vE '^.(un)?restrict' | sha256sum
runuser -u postgres -- psql -Atc "SELECT rolname, rolcanlogin FROM pg_roles ORDER BY 1; SELECT datname FROM pg_database ORDER BY 1"
find /var/lib/dcor-solr/data -name 'segments_*' | sort | xargs sha256sum
find /data/object-store -name '*.dat' | sort | xargs sha256sum
find /data/ckan /etc/ckan /etc/dcor-server /etc/nginx /etc/systemd/system -printf '%p %u %g %m %s %l\\n' | sort
find /var/lib/dcor-server -printf '%p %u %g %m %l\\n' | sort
redis-cli -s /run/redis-dcor/redis.sock --raw KEYS 'ckan:*' | sort
readlink /var/lib/dcor-server/current
"""
STATE = "/var/lib/dcor-server"
INSTANCE = f"{STATE}/test-instance"
#: kills pytest as soon as it runs tests
KILL = f"until pkill -KILL -f '^{INSTANCE}/environment/bin/python'; do sleep 0.1; done"
#: runs a suite, makes files until the disk is full as soon as it runs tests, and shows how that ended
RUN_AND_FILL = f"""
{COMMAND} run ckanext-dc_view >/tmp/said 2>&1 & suite=$!
until pgrep -f '^{INSTANCE}/environment/bin/python' >/dev/null; do sleep 0.1; done
i=0; while touch {INSTANCE}/fill.$i 2>/dev/null; do i=$((i+1)); done
wait $suite || echo "It ended with $?."
cat /tmp/said
"""


HOME, CHECKOUT = "/home/dev", "/home/dev/ckanext-dc_view"
#: a developer's checkout in a home directory that nobody else can enter, with the code of an installed extension
PREPARE = f"""
useradd --create-home dev
mkdir -p {CHECKOUT}/ckanext {CHECKOUT}/tests
cp -r /var/lib/dcor-server/current/lib/python3*/site-packages/ckanext/dc_view {CHECKOUT}/ckanext
find {CHECKOUT} -name __pycache__ -prune -exec rm -r {{}} +
cat >{CHECKOUT}/pyproject.toml <<END
[project]
name = "ckanext-dc_view"
dynamic = ["version"]
[project.entry-points."ckan.plugins"]
dc_view = "ckanext.dc_view.plugin:DCViewPlugin"
END
cat >{CHECKOUT}/tests/test_mine.py <<END
import importlib.metadata
import ckanext.dc_view
def test_word():
    assert ckanext.dc_view.WORD == "mine"
def test_installed():
    assert importlib.metadata.version("ckanext-dc_view").endswith("+develop")
END
chown -R dev: {HOME}
chmod -R go= {HOME}
"""
#: with + where an access control list has more than the mode
ACCESS = f"ls -lRA {HOME} | grep -v ^total | awk '{{ print $1, $3, $NF }}'"


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server with the tools of the suites."""
    with Machine("test-instance", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        machine.shell(f"dpkg --install {layers.PACKAGES}/dcor-wheels-test_*.deb")
        yield machine


def production(machine: Machine) -> str:
    """Return what has to stay as it is, with the data of the store on the disk."""
    return machine.shell(f"sync; {PRODUCTION}")


def test_a_suite_passes_beside_production_and_nothing_is_left(machine: Machine) -> None:
    before = production(machine)
    machine.shell(f"{COMMAND} create")
    # On a busy computer a part may be slow, which is not what this is about.
    assert "of a test instance" in machine.run("dcor-server", "status", check=False).stdout
    assert machine.run("dcor-server", "check", check=False).returncode == 0
    again = machine.run("dcor-server", "test-instance", "create", check=False)
    assert (again.returncode, "There is a test instance already" in again.stderr) == (1, True)

    (found,) = json.loads(machine.shell(f"{COMMAND} run {THEME} --json"))["suites"]
    assert found["passed"] >= 1, found
    assert found["failed"] == 0, found

    machine.shell(f"{COMMAND} remove")
    assert production(machine) == before
    assert (
        machine.shell("systemctl list-units --all --no-legend 'test-dcor-*'; ls /run | grep test-dcor || echo none")
        == "none\n"
    )


def test_a_suite_that_is_killed_leaves_nothing_either(machine: Machine) -> None:
    before = production(machine)
    machine.shell(f"{COMMAND} create")
    done = machine.shell(f"{COMMAND} run ckanext-dc_view >/tmp/said 2>&1 & {KILL}; wait; cat /tmp/said")
    assert "The suite ckanext-dc_view was " in done
    # On a terminal each test is seen, with its number of how many.
    seen = machine.shell(f"script --quiet --return --command '{COMMAND} run {THEME} -- -x' /dev/null")
    assert re.search(rf"{THEME}-tests/test_\w+\.py::test_\w+ PASSED +\[1/\d+\]", seen), seen
    assert f"{THEME}: " in seen
    machine.shell(f"{COMMAND} remove")
    assert production(machine) == before


def test_a_private_checkout_is_tested_with_its_present_code(machine: Machine) -> None:
    machine.shell(PREPARE)
    before, access = production(machine), machine.shell(ACCESS)
    machine.shell(f"{COMMAND} create")

    def tested(word: str) -> list[int]:
        machine.shell(f"echo 'WORD = \"{word}\"' >> {CHECKOUT}/ckanext/dc_view/__init__.py", user="dev")
        done = machine.run("dcor-server", "test-instance", "run", CHECKOUT, "--json", check=False).stdout
        (suite,) = json.loads(done)["suites"]
        return [suite["passed"], suite["failed"]]

    assert tested("other") == [1, 1]
    assert tested("mine") == [2, 0]
    assert machine.run("dcor-server", "check", check=False).returncode == 0
    machine.shell(f"{COMMAND} remove")
    assert production(machine) == before
    assert machine.shell(ACCESS) == access


@pytest.mark.long
def test_a_disk_that_becomes_full_is_named_and_production_stays(machine: Machine) -> None:
    before = production(machine)
    # enough for the services, and not for the tools
    with full_disk(machine, STATE, 300):
        ended = machine.run("dcor-server", "test-instance", "create", check=False)
        assert (ended.returncode, "A disk has become full" in ended.stderr) == (1, True), ended.stderr
        assert machine.run("test", "-e", INSTANCE, check=False).returncode == 1
    assert production(machine) == before

    machine.shell(f"{COMMAND} create")
    with full_disk(machine, INSTANCE, 500, stop="systemctl stop 'test-dcor-*'"):
        said = machine.shell(RUN_AND_FILL)
        assert "It ended with 1." in said
        assert "A disk has become full" in said
    machine.shell(f"{COMMAND} remove")
    assert production(machine) == before
    # what was left is no obstacle
    machine.shell(f"{COMMAND} create; {COMMAND} run {THEME}; {COMMAND} remove")


@pytest.mark.long
def test_all_suites_pass_but_for_what_has_a_known_cause(machine: Machine, suite: str) -> None:
    before = production(machine)
    machine.shell(f"{COMMAND} create")
    done = machine.run("dcor-server", "test-instance", "run", "all", "--json", check=False, timeout=2400)
    found = json.loads(done.stdout)["suites"]
    kept = TREE / f"dist/suites-{suite}.json"  # for scripts/suite-table
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(done.stdout)
    assert [each["suite"] for each in found] == list(SUITES)
    assert done.returncode == 0, found
    machine.shell(f"{COMMAND} remove")
    assert production(machine) == before
