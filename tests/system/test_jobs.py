"""What an administrator is told when something failed: jobs, in the workers of the server, and mail, at a relay.

And what a load balancer is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates_and_mail import MAIL_SINK
from dcor_dev import layers
from dcor_dev.machine import Machine
from error_mails import AN_HOUR_LATER, STATISTICS, TASKS, TRANSLATIONS, ask, subjects, wait_for_mails, without_table
from users import upload_measurements
from website import CURL, SITE, assert_healthy, wait_for_page, wait_until_idle

PYTHON = (
    "setpriv --reuid www-data --regid www-data --init-groups env CKAN_INI=/etc/ckan/default/ckan.ini "
    "/var/lib/dcor-server/current/bin/python"
)
#: What a job has in its arguments, and nobody may see.
SECRET = "hidden-word"
#: A job whose service does not answer yet, and one that cannot succeed, in whose message its argument stands.
ENQUEUE = f"""
import importlib, requests
from dcor_runtime import application
application.load()
from ckan.lib import jobs
job = jobs.enqueue(requests.get, ["http://127.0.0.1:2526/?signature={SECRET}"], title="Ask a service")
other = jobs.enqueue(importlib.import_module, ["{SECRET}"], title="Import a module")
print(job.id, other.id)
"""
SERVICE = "job-service"
LISTENS = "until ss --no-header --listening --tcp --numeric | grep --quiet ':{} '; do sleep 0.1; done"


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server in which nothing but the tests changes anything."""
    with Machine("jobs", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


def dcor(machine: Machine, *arguments: str, code: int = 0) -> str:
    """Run dcor-server, and return its output; fail when it ends otherwise than expected."""
    done = machine.run("dcor-server", *arguments, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert "Traceback" not in output
    return output


def listed(machine: Machine) -> dict[str, dict[str, Any]]:
    """Return the jobs of the server by their ids."""
    output = dcor(machine, "jobs", "--json", "list")
    assert SECRET not in output
    return {it["id"]: it for it in json.loads(output)["jobs"]}


def wait_until(machine: Machine, identity: str, state: str) -> None:
    """Wait until a job is in this state, or is done and so in none."""
    for _ in range(20):
        if listed(machine).get(identity, {"state": ""})["state"] == state:
            return
    raise AssertionError(listed(machine))


@pytest.fixture(scope="module")
def failed(machine: Machine) -> tuple[str, str]:
    """Return the ids of a job whose reason passes, and of another one, both of which have failed."""
    machine.write("/srv/enqueue.py", ENQUEUE)
    refused, broken = machine.shell(f"cd / && {PYTHON} /srv/enqueue.py").split()[-2:]
    for identity in (refused, broken):
        wait_until(machine, identity, "failed")
    return refused, broken


def test_jobs_that_failed_are_shown_without_their_arguments(machine: Machine, failed: tuple[str, str]) -> None:
    refused, broken = (listed(machine)[it] for it in failed)
    assert (refused["title"], refused["exception"]) == ("Ask a service", "requests.exceptions.ConnectionError")
    assert refused["passing"]
    assert (broken["exception"], broken["passing"]) == ("ModuleNotFoundError", "")
    assert "default: 2 failed" in dcor(machine, "jobs", "list")
    shown = dcor(machine, "jobs", "show", failed[0])
    assert "requests.api.get" in shown
    assert SECRET not in shown
    assert "There is no job other" in dcor(machine, "jobs", "retry", "other", code=1)


@pytest.mark.long
def test_the_nightly_run_queues_the_one_again_that_may_succeed_and_does_so_once(
    machine: Machine, failed: tuple[str, str]
) -> None:
    refused, broken = failed
    before = listed(machine)
    dcor(machine, "nightly")
    wait_until(machine, refused, "failed")
    after = listed(machine)
    assert after[refused]["since"] > before[refused]["since"]
    assert after[broken]["since"] == before[broken]["since"]
    dcor(machine, "nightly")
    assert listed(machine) == after
    assert "queued again by a nightly run" in dcor(machine, "jobs", "show", refused)


def test_a_job_is_queued_again_when_its_service_answers_and_one_is_forgotten(
    machine: Machine, failed: tuple[str, str]
) -> None:
    refused, broken = failed
    machine.shell(f"systemd-run --quiet --unit={SERVICE} python3 -m http.server --bind 127.0.0.1 --directory /srv 2526")
    machine.shell(LISTENS.format(2526), timeout=60)
    assert "1 job was queued again." in dcor(machine, "jobs", "retry", refused)
    wait_until(machine, refused, "")
    assert broken in listed(machine)
    assert "1 job was forgotten." in dcor(machine, "jobs", "forget", "all")
    assert listed(machine) == {}
    machine.run("systemctl", "stop", SERVICE)


def test_a_mail_is_accepted_or_refused_by_the_relay(machine: Machine) -> None:
    assert "the setting mail-relay is empty" in dcor(machine, "mail-test", code=1)
    machine.write("/srv/sink.py", MAIL_SINK)
    machine.shell("systemd-run --quiet --unit=mail-sink python3 /srv/sink.py")
    machine.shell(LISTENS.format(2525), timeout=60)
    dcor(machine, "set", "mail-relay=localhost:2525", "log-level=debug")
    assert "accepted a mail to admin@example.org: 250 ok" in dcor(machine, "mail-test")
    assert "test of the mail relay" in machine.path("/srv/mails").read_text()
    assert "to nobody@example.org: 550 5.1.1 no such user" in dcor(machine, "mail-test", "nobody@example.org", code=1)
    assert "nobody@" not in machine.path("/srv/mails").read_text()


def test_a_failure_and_the_recovery_are_mailed_once(machine: Machine) -> None:
    """The relay is that of the test above."""
    assert "the server is healthy, as it was" in dcor(machine, "report-health")
    machine.run("systemctl", "stop", "dcor-solr.socket", "dcor-solr.service")
    assert "A mail was sent to admin@example.org" in dcor(machine, "report-health")
    assert "No mail was sent: admin@example.org knows of" in dcor(machine, "report-health")
    machine.run("systemctl", "start", "dcor-solr.socket", "dcor-solr.service")
    wait_for_page(machine)
    assert "the server is healthy again" in dcor(machine, "report-health")
    mails = machine.path("/srv/mails").read_text()
    assert (mails.count("not healthy"), mails.count("Subject: [dcor.example.org] the server is healthy again")) == (
        1,
        1,
    )


def test_an_error_is_one_mail_and_its_repeats_are_one_after_an_hour(machine: Machine) -> None:
    """In the API and on a page, with the relay of the tests above. nginx repeats a read that is answered by 500."""
    (table, path, repeated), (other_table, page, single) = TRANSLATIONS, STATISTICS
    with without_table(machine, table), without_table(machine, other_table):
        assert ask(machine, path) == ["500"]
        wait_for_mails(machine, repeated, 1)
        assert ask(machine, path, times=20) == ["500"] * 20
        assert ask(machine, page) == ["500"]
    wait_for_mails(machine, single, 1)
    assert len(subjects(machine, repeated)) == 1
    machine.run("python3", "-c", AN_HOUR_LATER)
    wait_for_mails(machine, "Application Error: 41 more times: ProgrammingError at ", 1, seconds=150)
    wait_for_mails(machine, "Application Error: 1 more time: ", 1)
    assert (len(subjects(machine, repeated)), len(subjects(machine, single))) == (2, 2)


def test_no_answer_waits_for_a_relay_that_hangs(machine: Machine) -> None:
    table, path, words = TASKS
    machine.run("systemctl", "kill", "--signal=STOP", "mail-sink")
    try:
        with without_table(machine, table):
            assert ask(machine, path, options="--max-time 4") == ["500"]
        assert subjects(machine, words) == []
    finally:
        machine.run("systemctl", "kill", "--signal=CONT", "mail-sink")
    wait_for_mails(machine, words, 1)


@pytest.mark.long
def test_a_hundred_accesses_to_a_file_are_no_mail_at_any_level_of_the_log(machine: Machine) -> None:
    """The level is debug, at which CKAN writes each of them to its log."""
    dataset = upload_measurements(machine)["dataset"]
    found = json.loads(machine.shell(f"{CURL} '{SITE}/api/3/action/package_show?id={dataset}'"))["result"]
    path = found["resources"][0]["url"].removeprefix(SITE)
    count = "wc --lines </var/log/ckan/web.log"
    mails, lines = subjects(machine, ""), int(machine.shell(count))
    assert ask(machine, path, times=100, options="--location --range 0-9") == ["206"] * 100
    # The last lines are written after the answers.
    machine.shell(f"until [ $({count}) -ge {lines + 100} ]; do sleep 0.1; done", timeout=60)
    assert subjects(machine, "") == mails


def test_a_relay_that_is_down_is_said_to_be(machine: Machine) -> None:
    machine.run("systemctl", "stop", "mail-sink")
    assert "cannot be reached, or hung up" in dcor(machine, "mail-test", code=1)
    dcor(machine, "set", "mail-relay=", "log-level=")
    assert_healthy(machine)


def health(machine: Machine, *options: str) -> str:
    """Return the body and the status of /healthz."""
    return machine.shell(f"{CURL} --max-time 10 --write-out '%{{http_code}}' {' '.join(options)} {SITE}/healthz")


def test_a_load_balancer_learns_whether_ckan_answers(machine: Machine) -> None:
    assert health(machine) == "up\n200"
    machine.shell("touch /var/lib/dcor-server/nginx/maintenance")
    assert health(machine) == "down\n503"
    machine.shell("rm /var/lib/dcor-server/nginx/maintenance")
    assert health(machine) == "up\n200"
    machine.run("systemctl", "stop", "dcor-ckan.service")
    assert health(machine) == "down\n503"
    machine.run("systemctl", "start", "dcor-ckan.service")
    wait_for_page(machine)
    assert health(machine) == "up\n200"


def test_only_the_networks_of_the_setting_may_ask(machine: Machine) -> None:
    machine.run("ip", "address", "add", "192.0.2.7/32", "dev", "lo")
    elsewhere = "--interface 192.0.2.7"
    assert health(machine, elsewhere).endswith("403")
    dcor(machine, "set", "health-from=192.0.2.0/24")
    assert health(machine, elsewhere) == "up\n200"
    assert health(machine).endswith("403")
    assert "health-from" in dcor(machine, "set", "health-from=192.0.2.7/24", code=1)
    dcor(machine, "set", "health-from=none")
    assert health(machine).endswith("404")
    dcor(machine, "set", "health-from=")
    assert health(machine) == "up\n200"
