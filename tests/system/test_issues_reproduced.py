"""Known issues of upstream's programs: each is seen on a machine without its cure, and then not any more with it.

The tests share a machine and run in their order: the last ones, which wait for Debian's supervisor, reboot it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from below_supervisor import LATE, OWN_LOG, SUPERVISORS_LOG, UPSTREAM_PROGRAM, UPSTREAM_UWSGI, UPSTREAM_WSGI
from damages import OWN_RELEASE
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import make_user, run_client
from website import CURL, SITE, wait_for_page, wait_until_idle
from without_cures import (
    CONFIGURATION,
    KEY,
    KEY_OF_API,
    NOTIFY,
    PACKAGED,
    RELEASE,
    SEEN,
    TAKE_BACK,
    age,
    give_key,
    python,
    status,
)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server that no timer converges."""
    with Machine("reproduced", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


#: four processes write the same entry of the cache; prints how often that failed
WRITE_ASSETS = """
import multiprocessing, tempfile
from webassets.cache import FilesystemCache

def write(directory):
    cache, failed = FilesystemCache(directory), 0
    for _ in range(20000):
        try:
            cache.set("entry", "text")
        except FileNotFoundError:
            failed += 1
    return failed

with tempfile.TemporaryDirectory(dir="/dev/shm") as directory, multiprocessing.Pool(4) as pool:
    print(sum(pool.map(write, [directory] * 4)))
"""


def test_two_processes_write_the_same_asset(machine: Machine) -> None:
    packaged = machine.shell(f"echo {PACKAGED}").strip()
    assert int(python(machine, WRITE_ASSETS, path=packaged)) > 0
    assert int(python(machine, WRITE_ASSETS)) == 0


LIBMAGIC = "/usr/lib/x86_64-linux-gnu/libmagic.so.1"
GENERATE = "cd /tmp && ckan generate config /tmp/generated.ini 2>&1 && rm /tmp/generated.ini"


def test_ckans_command_needs_a_library_which_its_package_brings(machine: Machine) -> None:
    machine.shell(f"mkdir /srv/libmagic && mv {LIBMAGIC}* /srv/libmagic/ && ldconfig")
    try:
        assert "failed to find libmagic" in machine.shell(GENERATE, check=False)
    finally:
        machine.shell(f"mv /srv/libmagic/* {LIBMAGIC.rpartition('/')[0]}/ && ldconfig")
    assert "ImportError" not in machine.shell(GENERATE)
    library = machine.shell(f"dpkg-query --search {LIBMAGIC} | cut --delimiter=: --fields=1").strip()
    refused = machine.run("dpkg", "--simulate", "--remove", library, check=False)
    assert refused.returncode != 0
    assert re.search(rf"python-ckan depends on [^;\n]*\b{library}\b", refused.stderr), refused.stderr


#: a page that is cached for clients with a cookie alone, as in the manual
AS_IN_THE_MANUAL = """\
location = /privacy {
    uwsgi_pass dcor;
    uwsgi_cache dcor;
    uwsgi_cache_key "manual $request_uri";
    uwsgi_cache_valid 200 1m;
    uwsgi_cache_bypass $dcor_anonymous;
    uwsgi_no_cache $dcor_anonymous;
}
"""
ADDITION = "/etc/dcor-server/nginx.d/manual.conf"


def pages_made(machine: Machine, guests: int) -> int:
    """Return how many pages CKAN makes for so many guests: each has a token of its own against forged requests."""
    path = f"/privacy?n={secrets.token_hex(4)}"
    return len({machine.run(*CURL.split(), "--fail", f"{SITE}{path}").stdout for _ in range(guests)})


def test_guests_share_a_page_which_the_manual_makes_for_each(machine: Machine) -> None:
    machine.write(ADDITION, AS_IN_THE_MANUAL)
    try:
        machine.run("dcor-server", "converge")
        assert pages_made(machine, 5) == 5
    finally:
        machine.shell(f"rm {ADDITION}; dcor-server converge")
    assert pages_made(machine, 5) == 1


#: lets the worker that has begun a job get TERM twice, and prints what became of the job when the worker has ended
TERM_TWICE = """
import os, signal, sys, time
from dcor_runtime import application
application.load()
from ckan.lib import jobs, redis
job = jobs.enqueue(time.sleep, [8], title="sleep", queue=sys.argv[1])
while job.get_status(refresh=True) != "started":
    time.sleep(0.1)
job.refresh()
worker = int(redis.connect_to_redis().hget(f"rq:worker:{job.worker_name}", "pid"))
for _ in range(2):
    os.kill(worker, signal.SIGTERM)
    time.sleep(1.5)
for _ in range(200):
    try:
        os.kill(worker, 0)
    except ProcessLookupError:
        break
    time.sleep(0.1)
print("\\nfinished" if job.get_status(refresh=True) == "finished" else "\\nnot finished")
job.delete()
"""


def test_a_job_is_finished_though_its_worker_gets_term_twice(machine: Machine) -> None:
    """First by CKAN's own worker, for a queue of its own; then by one of the server's."""
    upstream = f"/usr/bin/env CKAN_INI={CONFIGURATION['CKAN_INI']} {RELEASE}/bin/ckan jobs worker killed-twice"
    machine.shell(f"systemd-run --quiet --unit=upstream-worker --uid=www-data {upstream}")
    assert python(machine, TERM_TWICE, "killed-twice").endswith("\nnot finished\n")
    before = machine.shell("cat /var/log/ckan/jobs.log")
    assert python(machine, TERM_TWICE, "default").endswith("\nfinished\n")
    since = machine.shell("cat /var/log/ckan/jobs.log").removeprefix(before)
    assert "The worker ends when its job has." in since


FORGET_CONDENSED = """
from dcor_runtime import application
application.load()
from dcor_runtime import object_tags, stored
for it in list(stored.objects()):
    if it.kind == "condensed":
        object_tags.client().delete_object(Bucket=it.bucket, Key=it.key)
"""


def test_a_measurement_whose_job_failed_days_ago_gets_its_condensed_file(machine: Machine) -> None:
    token = make_user(machine, "owner").token
    published: Any = run_client(machine, "publish_datasets", "--token", token, "--files", "1")
    dataset, (resource,) = published[0]["dataset"], published[0]["resources"]
    path = f"/dataset/{dataset}/resource/{resource}/condensed.rtdc"
    assert status(machine, path, "--location") == "200"
    python(machine, FORGET_CONDENSED)
    age(machine, dataset)
    machine.run("ckan", "run-jobs-dc-serve", "--modified-days", "1")
    assert status(machine, path, "--location") == "404"
    machine.run("dcor-server", "nightly")
    asked = f"{CURL} --location --output /dev/null --write-out '%{{http_code}}' {SITE}{path}"
    machine.shell(f'until [[ "$({asked})" == 200 ]]; do sleep 0.5; done', timeout=120)


@pytest.fixture(scope="module")
def without_cures(machine: Machine) -> dict[str, object]:
    """Return what is seen of each fault in a release without the cures, which a converge makes anew then."""
    machine.write("/etc/dcor-server/ckan.d/register.ini", NOTIFY)
    machine.run("dcor-server", "set", "registration=yes")
    for key in (KEY, KEY_OF_API):
        give_key(machine, make_user(machine, "reset").name, key)
    machine.shell(OWN_RELEASE)
    machine.shell(TAKE_BACK)
    wait_for_page(machine)
    seen = {name: look(machine) for name, (look, _, _) in SEEN.items()}
    check = machine.run("dcor-server", "check", check=False)
    assert (check.returncode, "its file" in check.stdout) == (3, True), check.stdout
    machine.run("dcor-server", "converge")
    wait_for_page(machine)
    return seen


@pytest.mark.parametrize("name", SEEN)
def test_a_fault_of_the_release_is_seen_without_its_cure_alone(
    machine: Machine, without_cures: dict[str, object], name: str
) -> None:
    look, faulty, cured = SEEN[name]
    assert without_cures[name] == faulty
    assert look(machine) == cured


@pytest.fixture(scope="module")
def booted(machine: Machine) -> Machine:
    """Return the machine after a boot with CKAN both below Debian's supervisor and in its own unit."""
    machine.write("/etc/upstream/wsgi.py", UPSTREAM_WSGI)
    machine.write("/etc/upstream/uwsgi.ini", UPSTREAM_UWSGI)
    machine.write("/etc/supervisor/conf.d/ckan-uwsgi.conf", UPSTREAM_PROGRAM)
    machine.write("/etc/systemd/system/postgresql@.service.d/late.conf", LATE)
    machine.shell("rm --force /var/log/supervisor/supervisord.log")
    machine.reboot()
    wait_for_page(machine)
    return machine


def test_ckan_starts_when_its_database_answers(booted: Machine) -> None:
    assert re.search(r"exited: ckan-uwsgi-00 \(exit status [0-9]+; not expected\)", booted.shell(SUPERVISORS_LOG))
    log = booted.shell(OWN_LOG)
    assert "entered RUNNING state" in log
    assert "exited: " not in log


def test_a_web_server_ends_by_the_signal_that_it_gets(booted: Machine) -> None:
    answers = "curl --silent --fail --output /dev/null http://127.0.0.1:8099/api/3/action/status_show"
    booted.shell(f"until {answers}; do sleep 0.5; done", timeout=120)
    booted.run("supervisorctl", "stop", "ckan-uwsgi:*")
    assert re.search(r"killing 'ckan-uwsgi-00' \(\d+\) with SIGKILL", booted.shell(SUPERVISORS_LOG))
    booted.run("systemctl", "stop", "dcor-ckan.service", timeout=60)
    log = booted.shell(OWN_LOG)
    assert re.search(r"stopped: dcor-\S+ \(exit status 0\)", log), log[-2000:]
    assert "SIGKILL" not in log
