"""`status` names what is stopped or hangs, and nothing else, in less than ten seconds; monitors get their forms."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import publish_dataset
from website import wait_until_idle

#: What a status takes at most, on a busy computer: the promise is 10 s, and it was 131 s.
LIMIT_SECONDS = 20
#: The processes, by patterns that do not match the shell which looks for them.
WORKERS, UWSGI = "dcor_runtime.[w]orkers jobs", "bin/[u]wsgi --ini"
#: How each part is stopped, with the signal in the place of {}.
HANGS = {
    "database": "systemctl kill --signal={} 'postgresql@*-main.service'",
    "redis": "systemctl kill --signal={} redis-server@dcor.service",
    "solr": "systemctl kill --signal={} dcor-solr.service",
    "object-store": "systemctl kill --signal={} dcor-object-store.service",
    "web": f"pkill --signal={{}} --full '{UWSGI}'",
    "nginx": "systemctl kill --signal={} nginx.service",
}
QUEUES = {f"queue {name}" for name in ("dcor-short", "dcor-normal", "dcor-long", "default")}
#: While job workers are younger, it is no problem that they take nothing.
START_SECONDS = 70
METRICS = "/var/lib/prometheus/node-exporter/dcor-server.prom"
#: A sample of Prometheus's text format, with one label or none.
SAMPLE = re.compile(r'(dcor_server_[a-z_]+)(?:\{part="((?:[^"\\]|\\.)*)"\})? (-?[0-9.e+]+)')
#: A line of a plugin of Nagios.
NAGIOS = re.compile(r"(OK|WARNING|CRITICAL|UNKNOWN) - ([^|\n]+) \| ('[^']+'|\w+)=[0-9.]+(s|B)?( .*)?\n")


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server with a circle, which no timer converges, and whose job workers have loaded CKAN."""
    with Machine("status", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        publish_dataset(machine)
        age = f"$(ps -o etimes= -p $(pgrep --oldest --full '{WORKERS}'))"
        machine.shell(f"until [ {age} -gt {START_SECONDS} ]; do sleep 1; done", timeout=200)
        await_well(machine)
        yield machine


def await_well(machine: Machine) -> None:
    """Wait until nothing has a problem."""
    machine.shell("until dcor-server status; do sleep 1; done", timeout=200)


def status(machine: Machine) -> dict[str, Any]:
    """Return the status, which came in time, and whose exit code says what it says."""
    begun = time.monotonic()
    done = machine.run("dcor-server", "status", "--json", check=False, timeout=300)
    assert time.monotonic() - begun < LIMIT_SECONDS
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 3)
    return found


def named(machine: Machine) -> set[str]:
    """Return the parts that are named as broken, without those that wait for them."""
    return {part["name"] for part in status(machine)["parts"] if part["problem"] and not part["cause"]}


def test_each_part_of_a_healthy_server_is_asked_for_real(machine: Machine) -> None:
    found = status(machine)
    parts = {part["name"]: part for part in found["parts"]}
    assert (found["schema"], found["ok"]) == (1, True)
    assert {name: parts[name]["detail"] for name in ("database", "redis", "object-store")} == {
        "database": "writes and reads",
        "redis": "stores values",
        "object-store": "stores, returns and deletes an object",
    }
    assert parts["solr"]["detail"] == "schema ckan-2.11, datasets: 1"
    assert all(parts[name]["detail"].endswith("0 waiting, 0 failed") for name in QUEUES), parts
    assert all(parts[name]["seconds"] > 0 for name in (*HANGS, *QUEUES, "search", "page"))
    assert parts["certificate"]["numbers"]["certificate_days_left"] > 30


def test_nothing_of_it_is_left(machine: Machine) -> None:
    tables = "runuser -u postgres -- psql -Atc '\\dt' ckan_default"
    jobs = "redis-cli -s /run/redis-dcor/redis.sock --scan --pattern 'rq:job:*'"
    before = machine.shell(tables), set(machine.shell(jobs).split())
    status(machine)
    assert machine.shell(tables) == before[0]
    assert set(machine.shell(jobs).split()) <= before[1]


def test_job_workers_that_do_nothing_are_named_by_their_queues(machine: Machine) -> None:
    machine.shell(f"pkill --signal=STOP --full '{WORKERS}'")
    try:
        assert named(machine) == QUEUES
    finally:
        machine.shell(f"pkill --signal=CONT --full '{WORKERS}'")
    await_well(machine)


def test_a_worker_that_is_busy_is_no_problem(machine: Machine) -> None:
    """A job that takes longer than a status waits is put into one queue, as CKAN's extensions do."""
    script = (
        "from dcor_runtime import application; application.load(); from ckan.lib import jobs; import time; "
        "jobs.enqueue(time.sleep, [25], queue='dcor-long')"
    )
    current = "/var/lib/dcor-server/current/bin/python"
    machine.shell(f'runuser -u www-data -- env CKAN_INI=/etc/ckan/default/ckan.ini {current} -c "{script}"')
    (part,) = (part for part in status(machine)["parts"] if part["name"] == "queue dcor-long")
    assert (part["ok"], part["detail"]) == (True, "busy with a job, 0 waiting, 0 failed")
    await_well(machine)


def test_redis_that_is_stopped_is_named(machine: Machine) -> None:
    machine.shell("systemctl stop redis-server@dcor")
    try:
        assert named(machine) & {*HANGS, *QUEUES, "jobs", "search"} == {"redis"}
        nagios = machine.run("dcor-server", "status", "--nagios", check=False)
        assert (nagios.returncode, nagios.stdout.startswith("CRITICAL - ")) == (2, True)
        assert "redis: does not answer" in nagios.stdout
    finally:
        machine.shell("systemctl start redis-server@dcor")
    await_well(machine)


@pytest.mark.parametrize("part", HANGS)
def test_whatever_hangs_is_named_by_its_own_name_in_time(machine: Machine, part: str) -> None:
    machine.shell(HANGS[part].format("STOP"))
    try:
        found = named(machine)
    finally:
        machine.shell(HANGS[part].format("CONT"))
    assert found & {*HANGS, *QUEUES, "jobs", "search", "page", "stored files"} == {part}
    await_well(machine)


def configuration(machine: Machine) -> dict[str, Any]:
    """Return the part that says whether the machine is as the settings say."""
    (part,) = (part for part in status(machine)["parts"] if part["name"] == "configuration")
    return dict(part)


def test_steps_that_differ_are_counted_and_no_problem(machine: Machine) -> None:
    assert (configuration(machine)["detail"], configuration(machine)["warning"]) == ("as the settings say", "")
    machine.shell("mv /etc/logrotate.d/dcor-server /root/kept")
    try:
        found = configuration(machine)
        assert (found["ok"], found["warning"]) == (True, "1 step differs from the settings: dcor-server check")
        # While a command holds the lock, it is what changes the machine.
        holder = "flock --exclusive /run/dcor-server.lock dcor-server status --json"
        parts = json.loads(machine.shell(holder))["parts"]
        (part,) = (part for part in parts if part["name"] == "configuration")
        assert (part["warning"], part["detail"]) == ("", "is being changed by another command")
    finally:
        machine.shell("mv /root/kept /etc/logrotate.d/dcor-server")
    assert configuration(machine)["warning"] == ""


def test_nagios_gets_one_line_and_its_exit_codes(machine: Machine) -> None:
    done = machine.run("dcor-server", "status", "--nagios", check=False)
    shown = NAGIOS.fullmatch(done.stdout)
    assert shown is not None, done.stdout
    # The clock of a container may be synchronized by nobody: that is a warning.
    assert done.returncode == {"OK": 0, "WARNING": 1}[shown[1]], done.stdout
    assert "'certificate certificate_days_left'=" in done.stdout


def test_the_timer_writes_metrics_where_node_exporter_reads_them(machine: Machine) -> None:
    directory = METRICS.rpartition("/")[0]
    machine.shell("systemctl start dcor-metrics.service")
    assert not machine.path(METRICS).exists()
    machine.shell(f"install -d -o www-data -g www-data /var/lib/prometheus {directory}")
    # Its user may have put a link to a file of root's there.
    machine.shell(f"echo precious >/root/precious; runuser -u www-data -- ln -s /root/precious {METRICS}")
    machine.shell("systemctl start dcor-metrics.service")
    assert machine.shell("cat /root/precious") == "precious\n"
    assert machine.shell(f"stat -c '%F %a %U' {METRICS}") == "regular file 644 www-data\n"
    samples = parsed(machine.shell(f"cat {METRICS}"))
    assert samples["dcor_server_ok", None] == 1
    assert samples["dcor_server_part_ok", "database"] == 1
    assert samples["dcor_server_jobs_waiting", "queue default"] == 0
    assert samples["dcor_server_free_bytes", "disk of /data"] > 0
    assert abs(samples["dcor_server_status_timestamp_seconds", None] - time.time()) < 120
    assert parsed(machine.run("dcor-server", "status", "--prometheus").stdout).keys() == samples.keys()


def parsed(text: str) -> dict[tuple[str, str | None], float]:
    """Return the samples of a text, by their names and parts."""
    lines = [line for line in text.splitlines() if not line.startswith(("# HELP ", "# TYPE "))]
    found = [SAMPLE.fullmatch(line) for line in lines]
    assert None not in found, text
    return {(it[1], it[2]): float(it[3]) for it in found if it is not None}


def test_a_watch_shows_it_again_until_it_is_interrupted(machine: Machine) -> None:
    shown = machine.run("timeout", "--signal=INT", "30", "dcor-server", "status", "--watch", "1", check=False)
    assert len(re.findall("^All is well", shown.stdout, re.MULTILINE)) >= 2, shown.stdout
    assert shown.stderr == ""
