"""A Debian 12 with measurements becomes a Debian 13, by the way of the README, and they are read back equal.

The tests follow on each other, in the order in which they stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import watch
from dcor_dev import layers
from dcor_dev.machine import Machine
from next_debian import MOUNTED, publish, ready
from power_cut import power_cut
from users import make_user, run_client, upload_measurements
from website import assert_healthy, serves, wait_for_page, wait_for_upgrade, wait_until_idle

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

OLD, NEW = "bookworm", "trixie"
CLIENTS = Path(__file__).with_name("clients.txt")
STATE = "/var/lib/dcor-server"
UPGRADE = "env DEBIAN_FRONTEND=noninteractive apt-get --yes full-upgrade"
UPGRADE_SECONDS = 2400
CLUSTER = ("dcor-server", "upgrade-database-cluster")
#: The users' programs are of Debian 12's Python, which stays as long as a release may need it.
OLD_PYTHON = "/opt/python3.11"
RUN_OLD_PYTHON = """#!/bin/sh
exec env PYTHONPATH=/opt/clients/lib/python3.11/site-packages /usr/bin/python3.11 "$@"
"""
#: Each second in which no job worker is there, or the site does not answer, as long as the file exists.
WATCH = """
touch /run/watched
while [ -e /run/watched ]; do
    pgrep --full dcor_runtime.workers >/dev/null || echo jobs
    curl --silent --insecure --max-time 5 --cookie dcor=somebody --output /dev/null --write-out '%{http_code}\n' \\
        https://dcor.example.org/ || echo none
    sleep 1
done >/root/watched
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a server with measurements on Debian 12, whose sources name Debian 13."""
    old, new = (layers.build_packages(suite) for suite in (OLD, NEW))
    repository = tmp_path_factory.mktemp("published") / "dcor"
    publish(repository, OLD, NEW)
    installed = (*layers.installed(OLD, old), layers.clients(OLD, CLIENTS))
    stack = ready(installed, [*old, *new], repository, OLD, NEW)
    with Machine("debian-13", stack, read_only={**layers.package_mounts(old), repository: MOUNTED}) as booted:
        wait_until_idle(booted)
        booted.write(OLD_PYTHON, RUN_OLD_PYTHON, 0o755)
        upload_measurements(booted)
        yield booted


def shown(machine: Machine) -> list[dict[str, Any]]:
    """Return the notices of the status, which has to be well."""
    notices: list[dict[str, Any]] = json.loads(machine.run("dcor-server", "status", "--json").stdout)["notices"]
    return notices


def assert_read_back(machine: Machine) -> None:
    """Assert that each measurement is read as it was uploaded."""
    uploaded = upload_measurements(machine)["resources"].values()
    ids = [part for it in uploaded for part in ("--id", it["id"])]
    token = make_user(machine, "reader").token
    found = run_client(machine, "read_back", "--token", token, *ids, python=OLD_PYTHON)
    assert found == {it["id"]: it["sha256"] for it in uploaded}
    assert len(found) == 3


def python_of_the_release(machine: Machine) -> str:
    return machine.shell(f"readlink {STATE}/current/bin/python3").strip()


def cluster_on_our_port(machine: Machine) -> str:
    return machine.shell("pg_lsclusters --no-header | awk '$3 == 5432 {print $1, $2, $4}'").strip()


def test_apt_would_remove_nothing_of_ours_where_only_debians_sources_are_changed(machine: Machine) -> None:
    source = "/etc/apt/sources.list.d/dcor.sources"
    planned = machine.shell(f"mv {source} /root/; apt-get --simulate full-upgrade; mv /root/dcor.sources {source}")
    removed = [line.split()[1] for line in planned.splitlines() if line.startswith("Remv ")]
    assert "Inst python3 " in planned
    assert [name for name in removed if name.startswith(("dcor-", "python-ckan", "python3.11", "postgresql-"))] == []


def test_job_workers_and_site_are_there_until_the_reboot(machine: Machine) -> None:
    machine.write("/root/watch", WATCH)
    machine.shell("systemd-run --quiet --unit=watched bash /root/watch")
    machine.shell(UPGRADE, timeout=UPGRADE_SECONDS)
    wait_for_upgrade(machine)
    machine.shell("rm /run/watched; while systemctl is-active --quiet watched; do sleep 0.1; done")
    seen = machine.path("/root/watched").read_text().split()
    print({word: seen.count(word) for word in sorted(set(seen))})
    assert "jobs" not in seen
    # What Debian's own packages restart (nginx, Solr's Java) is no matter of a second or two.
    assert seen.count("200") > 0.9 * len(seen)


def test_it_serves_after_the_reboot_without_a_hand(machine: Machine) -> None:
    machine.reboot()
    wait_for_page(machine)
    machine.run("dcor-server", "converge", "--wait", timeout=900)
    assert_healthy(machine)
    assert machine.shell("cat /etc/debian_version").startswith("13")
    assert python_of_the_release(machine) == "/usr/bin/python3.13"
    versions = machine.run("dpkg-query", "--show", "--showformat=${Version} ", "python-ckan", "dcor-wheels").stdout
    assert [version.rpartition("~")[2] for version in versions.split()] == ["deb13u1", "deb13u1"]
    assert "0 changed" in machine.shell("dcor-server converge")
    assert_read_back(machine)


def test_autoremove_leaves_the_python_of_the_former_release_and_the_database(machine: Machine) -> None:
    planned = machine.shell("apt-get --simulate autoremove")
    for package in ("python3.11", "libpython3.11", "libpython3.11-stdlib"):
        assert f"Remv {package} " not in planned
    assert "Remv postgresql-15 " not in planned


def test_status_names_the_postgresql_without_updates(machine: Machine) -> None:
    assert cluster_on_our_port(machine) == "15 main online"
    (notice,) = (it for it in shown(machine) if it["file"] == "PostgreSQL 15/main")
    assert "upgrade-database-cluster" in notice["hint"]


def test_the_upgrade_of_the_database_waits_until_the_new_release_is_not_watched_any_more(machine: Machine) -> None:
    refused = machine.run(*CLUSTER, check=False)
    assert refused.returncode == 1
    assert "is watched until" in refused.stderr
    assert cluster_on_our_port(machine) == "15 main online"
    watch.switch_off(machine)
    machine.shell(f"rm {STATE}/watch.json")


def test_a_power_cut_in_the_upgrade_of_the_database_leaves_the_old_cluster(machine: Machine) -> None:
    def copying(machine: Machine) -> bool:
        is_under_way = ("sh", "-c", f"test -e {STATE}/cluster-upgrade.json && test -d /var/lib/postgresql/17/main/base")
        return machine.run(*is_under_way, check=False).returncode == 0

    power_cut(machine, copying, *CLUSTER)
    machine.run("dcor-server", "converge", "--wait", timeout=900)
    assert_healthy(machine)
    assert cluster_on_our_port(machine) == "15 main online"
    assert not machine.path(f"{STATE}/cluster-upgrade.json").exists()
    assert not machine.path("/var/lib/postgresql/17/main").exists()
    assert_read_back(machine)


def test_the_database_is_upgraded_and_the_old_cluster_is_kept(machine: Machine) -> None:
    done = machine.run(*CLUSTER, timeout=1800)
    print(done.stdout)
    assert_healthy(machine)
    assert cluster_on_our_port(machine) == "17 main online"
    assert "15 main 5433 down" in " ".join(machine.shell("pg_lsclusters --no-header").split())
    assert "0 changed" in machine.shell("dcor-server converge")
    assert_read_back(machine)


def test_after_another_boot_the_new_cluster_serves_and_the_old_one_is_down(machine: Machine) -> None:
    machine.reboot()
    wait_for_page(machine)
    machine.run("dcor-server", "converge", "--wait", timeout=900)
    assert serves(machine)
    assert cluster_on_our_port(machine) == "17 main online"
    (notice,) = (it for it in shown(machine) if it["file"] == "PostgreSQL 15/main")
    assert "is kept" in notice["message"]


def test_the_old_cluster_goes_when_the_administrator_says_so(machine: Machine) -> None:
    machine.run(*CLUSTER, "--remove-old")
    assert machine.shell("pg_lsclusters --no-header | wc -l").strip() == "1"
    machine.shell("apt-get --yes purge postgresql-15 postgresql-client-15")
    assert_healthy(machine)
    assert_read_back(machine)
