"""What breaks is seen by `check`, brought back by one converge, and then nothing differs any more.

What cannot be brought back is named. All tests share a machine, and each leaves it as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import cases
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import publish_dataset
from website import CURL, SITE, assert_healthy, wait_for_page

RELEASE = "/var/lib/dcor-server/current"
SITE_PACKAGES = f"{RELEASE}/lib/python3*/site-packages"
STATE = "/var/lib/dcor-server"
#: removes a document from the index, as if its addition had been lost
FORGET = (
    "curl --silent --show-error --fail --config /etc/dcor-solr/probe.conf --header 'Content-Type: text/xml' "
    "--data '<delete><query>name:*</query></delete>' 'http://127.0.0.1:8983/solr/ckan/update?commit=true'"
)
#: what is done, and a part of what `check` says
DAMAGES = {
    "socket of the web server": ("rm $(ls /run/dcor-ckan/*.sock | grep -v -e probe -e supervisor)", "socket"),
    "socket of the probe": ("rm /run/dcor-ckan/*.probe.sock", "socket"),
    "socket of Redis": ("rm /run/redis-dcor/redis.sock", "does not answer"),
    "socket of PostgreSQL": ("rm /run/postgresql/.s.PGSQL.5432", "since its socket is gone"),
    "socket of the store": ("rm /run/dcor-object-store/s3.sock", "answer of dcor-object-store"),
    "socket of the filer": ("rm /run/dcor-object-store/filer.sock", "answer of dcor-object-store"),
    "a timer disabled": ("systemctl disable --quiet --now dcor-nightly.timer", "is inactive"),
    "a timer masked": ("systemctl mask --quiet --now dcor-converge.timer", "is masked"),
    "a service masked": ("systemctl mask --quiet --now --runtime redis-server@dcor", "is masked"),
    "index below Solr": ("rm -r /var/lib/dcor-solr/data/ckan", "has lost"),
    "a dataset in the index": (FORGET, "the database has 1"),
    "link to the release": (f"rm {RELEASE}", "the active release is none"),
    "the release": (f"rm -r {STATE}/releases/*", "does not exist"),
    "a module of the release": (f"echo > $(ls {SITE_PACKAGES}/ckan/lib/mailer.py)", "has changed its file"),
    "a module by pip": (
        f"mkdir $(echo {SITE_PACKAGES})/other; touch $(echo {SITE_PACKAGES})/other/a.py",
        "has got the file",
    ),
    "an empty state file": (f"echo -n > {STATE}/state.json", "state files"),
    "a cut state file": (f"truncate --size=20 {STATE}/managed.json", "state files"),
}


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server with a public dataset, whose timers do not converge meanwhile."""
    with Machine("damaged", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine


@pytest.fixture(scope="module")
def objects(machine: Machine) -> list[str]:
    """Return the paths of the objects of a public dataset."""
    return publish_dataset(machine)


def check(machine: Machine) -> dict[str, str]:
    """Return the reasons of steps that differ."""
    done = machine.run("dcor-server", "check", "--json", check=False)
    found = {it["step"]: it["reason"] for it in json.loads(done.stdout)["steps"] if it["reason"]}
    assert done.returncode == (3 if found else 0), done.stderr
    return found


def assert_whole(machine: Machine, objects: list[str]) -> None:
    """Assert that nothing differs, that the site works, and that strangers read what is public."""
    assert check(machine) == {}
    assert_healthy(machine)
    addresses = " ".join(f"--output /dev/null {SITE}{path}" for path in objects)
    assert set(machine.shell(f"{CURL} --write-out '%{{http_code}}\n' {addresses}").split()) == {"200"}
    assert json.loads(machine.shell(f"{CURL} '{SITE}/api/3/action/package_search'"))["result"]["count"] == 1


#: what the store may lose below the data directory
LOST = {"database of the filer": "filerldb2", "volumes": "*.dat"}
#: those that are like another one
ALIKE = (
    *("socket of the probe", "socket of Redis", "socket of the store", "socket of the filer"),
    *("a timer disabled", "a service masked", "a module of the release", "an empty state file", "volumes"),
    *("a dataset in the index", "link to the release"),
)


@pytest.mark.parametrize("name", cases(DAMAGES, ALIKE))
def test_damage_is_seen_and_brought_back(machine: Machine, objects: list[str], name: str) -> None:
    damage, said = DAMAGES[name]
    machine.shell(damage)
    found = check(machine)
    assert [it for it in (f"{step}: {reason}" for step, reason in found.items()) if said in it], found
    converged = machine.run("dcor-server", "converge", check=False)
    assert converged.returncode == 0, converged.stdout + converged.stderr
    assert_whole(machine, objects)


@pytest.mark.parametrize("lost", cases(LOST, ALIKE))
def test_files_that_the_store_has_lost_are_named(machine: Machine, objects: list[str], lost: str) -> None:
    """They cannot be brought back, so nothing says that all is well."""
    machine.shell(
        f"systemctl stop dcor-object-store && cd /data/object-store && rm -rf /root/lost && mkdir /root/lost && mv {LOST[lost]} /root/lost/ "
        "&& systemctl start dcor-object-store"
    )
    status = machine.run("dcor-server", "status", check=False)
    assert (status.returncode, "files that were looked at cannot be read from the store" in status.stdout) == (3, True)
    assert "cannot be read from the store" in check(machine)["stored files"]
    converged = machine.run("dcor-server", "converge", check=False)
    assert (converged.returncode, "restore the data directory" in converged.stdout) == (0, True)
    machine.shell(
        "systemctl stop dcor-object-store && cd /data/object-store && rm -rf $(ls /root/lost) && mv /root/lost/* . && "
        "rmdir /root/lost && systemctl start dcor-object-store && dcor-server converge"
    )
    assert_whole(machine, objects)


def test_a_changed_file_of_the_programs_is_kept_and_converges_go_on(machine: Machine, objects: list[str]) -> None:
    machine.shell(f"echo '; changed by a person' >> $(ls {STATE}/programs/*.conf)")
    machine.run("dcor-server", "converge")
    assert_whole(machine, objects)
    assert "changed by a person" in machine.shell(f"cat {STATE}/programs/*.conf")
    machine.shell(f"rm {STATE}/programs/*.conf && dcor-server converge")
    assert_whole(machine, objects)
