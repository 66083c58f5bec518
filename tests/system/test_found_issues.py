"""Known issues of a machine, not of upstream's code: reproduced, found by name, and cured by one converge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from damages import OWN_RELEASE
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import CLIENTS, make_user, run_client
from website import CURL, SITE, wait_for_page

SOLR = (
    "curl --silent --show-error --fail --config /etc/dcor-solr/probe.conf --header 'Content-Type: application/json' "
    "--data-binary @- 'http://127.0.0.1:8983/solr/ckan/update?commit=true'"
)
#: a document of a dataset that the database does not have
LEFT_OVER = {
    "index_id": "left-over",
    "id": "left-over",
    "name": "left-over",
    "title": "left over",
    "site_id": "default",
    "entity_type": "package",
    "dataset_type": "dataset",
    "state": "active",
    "capacity": "public",
    "permission_labels": ["public"],
}


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server on which each test leaves nothing that differs."""
    with Machine("issues", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine


def found(machine: Machine) -> dict[str, str | None]:
    """Return the known issue of each step that differs."""
    done = machine.run("dcor-server", "check", "--json", check=False)
    report = json.loads(done.stdout)
    differing = {it["step"]: it["known_issue"] for it in report["steps"] if it["reason"]}
    assert (done.returncode, report["schema"], report["right"]) == (3 if differing else 0, 1, not differing)
    return differing


def converge(machine: Machine) -> str:
    """Converge, show that a second run changes nothing, and return what the first one did."""
    done = machine.run("dcor-server", "converge", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 changed, " in f"\n{machine.run('dcor-server', 'converge').stdout}"
    assert found(machine) == {}
    return done.stdout


def searched(machine: Machine) -> Any:
    """Return what a visitor finds."""
    return json.loads(machine.shell(f"{CURL} --fail '{SITE}/api/3/action/package_search'"))["result"]


def indexed(machine: Machine) -> dict[str, Any]:
    """Return the version of each document of the index, which another one has that was indexed again."""
    query = "q=*:*&fl=id,_version_&rows=100&wt=json"
    answer = machine.shell(
        f"curl --silent --show-error --fail --config /etc/dcor-solr/probe.conf 'http://127.0.0.1:8983/solr/ckan/select?{query}'"
    )
    return {it["id"]: it["_version_"] for it in json.loads(answer)["response"]["docs"]}


def test_an_issue_is_explained_and_an_unknown_name_is_one_sentence(machine: Machine) -> None:
    german = machine.run("env", "LC_ALL=de_DE.UTF-8", "dcor-server", "check", "--explain", "lost_documents").stdout
    assert "Ursache: " in german
    done = machine.run("dcor-server", "check", "--explain", "lost_document", check=False)
    assert (done.returncode, "the nearest names are lost_documents" in done.stderr) == (1, True)
    assert "float_expiry" in machine.run("dcor-server", "check", "--explain").stdout
    assert found(machine) == {}


def test_documents_that_differ_are_repaired_one_by_one(machine: Machine) -> None:
    token = make_user(machine, "owner").token
    run_client(machine, "publish_datasets", "--token", token, "--files", "1", "1")
    before = indexed(machine)
    assert len(before) == searched(machine)["count"] == 2
    lost, *_ = sorted(before)
    change = {"delete": {"query": f'id:"{lost}"'}, "add": {"doc": LEFT_OVER}}
    machine.run("bash", "-euc", SOLR, text=json.dumps(change))
    # The number is right, and the dataset is not found, though it is there.
    assert searched(machine)["count"] == 2
    assert lost not in {it["id"] for it in searched(machine)["results"]}
    machine.shell(f"{CURL} --fail --output /dev/null '{SITE}/api/3/action/package_show?id={lost}'")
    assert found(machine) == {"documents of the search index": "lost_documents"}
    said = converge(machine)
    assert f"documents of the search index: lacks 1 (such as {lost}) and has left over 1 (such as left-over)" in said
    after = indexed(machine)
    assert set(after) == set(before)
    # The other one was not touched: the index was not emptied.
    assert [identity for identity in before if after[identity] == before[identity]] == sorted(before)[1:]
    assert lost in {it["id"] for it in searched(machine)["results"]}


#: what setuptools writes for a namespace package: as installed, and for a checkout
NAMESPACE = (
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join({place}, *('{package}',));"
    "importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');"
    "m = has_mfs and sys.modules.setdefault('{package}', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('{package}', [os.path.dirname(p)])));"
    "m = m or sys.modules.setdefault('{package}', types.ModuleType('{package}'));"
    "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n"
)
SITEDIR = "sys._getframe(1).f_locals['sitedir']"
RELEASE = "/var/lib/dcor-server/current"
CHECKOUT = "/root/checkout"
#: names of files, their texts, and why they fail
PTH_FILES = {
    "checkout-nspkg.pth": (NAMESPACE.format(place=f"'{CHECKOUT}'", package="mine"), f"{CHECKOUT} cannot be read"),
    "gone-nspkg.pth": (NAMESPACE.format(place=SITEDIR, package="gone"), "left of a package that was uninstalled"),
    "old-nspkg.pth": (NAMESPACE.format(place="'/usr/lib/python3.7/x'", package="old"), "another Python (python3.7)"),
}
#: prints where a module is; that of a closed directory is nowhere
ORIGIN = "import importlib.util; print(importlib.util.find_spec('dcor_shared').origin)"


def start_of_python(machine: Machine) -> str:
    """Return what the Python of the release says when CKAN's user starts it."""
    done = machine.run(f"{RELEASE}/bin/python", "-c", ORIGIN, user="www-data", check=False)
    return done.stdout + done.stderr


def site_packages(machine: Machine) -> str:
    """Return the directory of the release's modules."""
    return machine.shell(f"echo {RELEASE}/lib/python3*/site-packages").strip()


def test_pth_files_that_fail_for_ckan_are_named_and_gone(machine: Machine) -> None:
    machine.shell(OWN_RELEASE)
    before = start_of_python(machine)
    machine.shell(f"mkdir -p {CHECKOUT}/mine && chmod 700 {CHECKOUT} && touch {CHECKOUT}/mine/__init__.py")
    for name, (text, _) in PTH_FILES.items():
        machine.write(f"{site_packages(machine)}/{name}", text)
    said = start_of_python(machine)
    assert [name for name in PTH_FILES if f"{name}:" not in said or "Error processing line 1" not in said] == []
    assert found(machine)["pth files of the release"] == "unusable_pth"
    report = machine.run("dcor-server", "check", check=False).stdout
    for name, (_, words) in PTH_FILES.items():
        assert f"line 1 of {name} fails: " in report
        assert words in report
    converge(machine)
    assert start_of_python(machine) == before


@pytest.mark.long
def test_a_directory_of_the_release_that_ckan_cannot_enter_is_named_and_open_again(machine: Machine) -> None:
    """It is in no record of files, and root's Python finds the module."""
    before = start_of_python(machine)
    assert before.endswith("/dcor_shared/__init__.py\n")
    site = site_packages(machine)
    machine.shell(f"chmod 700 {site}/dcor_shared && echo 'import dcor_shared' > {site}/shared.pth")
    assert start_of_python(machine) != before
    assert found(machine)["pth files of the release"] == "unusable_pth"
    converge(machine)
    assert start_of_python(machine) == before


TRIAL = "/usr/share/dcor-server/dcor_pkg/ckan/files/try_locks.py"
#: says of each directory what the trial says on a file system without locks: the machines of tests have none
NO_LOCKS = (
    "import json, sys\n"
    "print(json.dumps({it: 'a file in it cannot be locked: No locks available' for it in sys.argv[1:]}))\n"
)
VARIABLE = "HDF5_USE_FILE_LOCKING"
PLACES = ("web", "python", "shell")


def locking(machine: Machine) -> dict[str, set[str]]:
    """Return the variable in each web server, in each Python of the release, and in the shell of an administrator."""
    web = f"for p in $(pgrep -f '^[^ ]*bin/uwsgi'); do tr '\\0' '\\n' < /proc/$p/environ | grep '^{VARIABLE}=' || echo none; done"
    python = machine.run(
        f"{RELEASE}/bin/python", "-c", f"import os; print(os.environ.get('{VARIABLE}', 'none'))", user="www-data"
    )
    shell = f"source /usr/lib/ckan/default/bin/activate; echo ${{{VARIABLE}:-none}}"
    return {
        "web": {line.rpartition("=")[2] for line in machine.shell(web).split()},
        "python": set(python.stdout.split()),
        "shell": set(machine.shell(f"set +u; {shell}").split()),
    }


def test_where_locks_do_not_work_hdf5_uses_none(machine: Machine) -> None:
    """It reaches web server, jobs, timers and shell (all but the first start the release's Python), and goes again."""
    assert locking(machine) == {place: {"none"} for place in PLACES}
    machine.shell(f"cp --archive {TRIAL} /root/trial.py")
    machine.write(TRIAL, NO_LOCKS)
    try:
        assert found(machine) == {"locks of HDF5 files": "hdf5_file_locking"}
        said = converge(machine)
        assert "locks of HDF5 files: are used; /data/ckan speaks against that: a file in it cannot be locked" in said
        assert locking(machine) == {place: {"FALSE"} for place in PLACES}
    finally:
        machine.shell(f"cp --archive /root/trial.py {TRIAL}")
    converge(machine)
    assert locking(machine) == {place: {"none"} for place in PLACES}


#: a directory of CKAN's that is empty while no job runs
LOCKLESS = "/var/cache/dcor-server/ckanext-dc_serve"
#: A container has no node for the device of FUSE, and may make it.
MOUNT = f"""
[ -e /dev/fuse ] || mknod /dev/fuse c 10 229
systemd-run --quiet --unit=lockless /usr/bin/python3 /opt/dcor-clients/programs/lockless.py {LOCKLESS}
until mountpoint --quiet {LOCKLESS}; do sleep 0.1; done
"""
HDF5 = f"""
import h5py
with h5py.File("{LOCKLESS}/test.h5", "w") as file:
    file["deform"] = list(range(1000))
with h5py.File("{LOCKLESS}/test.h5") as file:
    print(file["deform"][999])
"""


def write_hdf5(machine: Machine) -> str:
    """Write and read a file of HDF5 there, as a job does; return what is printed, errors included."""
    done = machine.run(f"{RELEASE}/bin/python", "-c", HDF5, user="www-data", check=False)
    return done.stdout + done.stderr


def test_on_a_real_file_system_without_locks_hdf5_fails_before_and_works_after(machine: Machine) -> None:
    """It is one of FUSE: its kind is enough for the check, and a lock in it fails indeed."""
    machine.copy_in(CLIENTS, "/opt/dcor-clients/programs")
    machine.shell(f"find {LOCKLESS} -mindepth 1 -delete")
    machine.shell(MOUNT, timeout=60)
    try:
        tried = machine.run("flock", "--nonblock", f"{LOCKLESS}/lock", "true", user="www-data", check=False)
        assert "No locks available" in tried.stderr
        before = write_hdf5(machine)
        assert "unable to lock file, errno = 37" in before, before
        assert "No locks available" in before
        assert found(machine) == {"locks of HDF5 files": "hdf5_file_locking"}
        assert f"{LOCKLESS} speaks against that: it is on a file system of the type fuse" in converge(machine)
        assert locking(machine) == {place: {"FALSE"} for place in PLACES}
        assert write_hdf5(machine) == "999\n"
    finally:
        machine.shell(f"umount --lazy {LOCKLESS}")
    converge(machine)
    assert locking(machine) == {place: {"none"} for place in PLACES}
