"""What is killed comes back: systemd starts each service again, however often, and a timer looks for what is down."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import unit as ckan_unit
from dcor_pkg.kernel import templates
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import service as nginx
from dcor_pkg.services import engines
from dcor_pkg.services.object_store.socket_activation import FILES
from dcor_pkg.services.postgresql.cluster import Cluster

JOB, WORKER = (
    int(score)
    for score in re.findall(
        r"^JOB, WORKER = (\d+), (\d+)$", (templates.PACKAGE / "runtime/workers.py").read_text(), re.MULTILINE
    )[0]
)
DEBIAN = Path(__file__).resolve().parents[3] / "debian"
RETRY = DEBIAN / "dcor-server.dcor-retry.service"
#: services that somebody may end by a signal, which is no failure then: they are Debian's
ON_FAILURE = ("nginx.service", "postgresql@15-main.service")


def managed(unit: str) -> list[ManagedFile]:
    """Return the files of a unit that steps write."""
    set_up = [step for engine in engines.ENGINES for step in engine.set_up(Settings())]
    files = [*(step for step in set_up if isinstance(step, ManagedFile)), *FILES, nginx.DROP_IN]
    cluster = Cluster("15", "main", is_online=True)
    return [file for file in (*files, cluster.drop_in) if f"/{unit}" in file.path]


def unit_files(host: Host, unit: str) -> configparser.RawConfigParser:
    """Return what the unit's file of this package and its drop-ins say, without keys that stand there twice."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    shipped = [path for path in (DEBIAN / unit, DEBIAN / "units" / unit) if path.exists()]
    for text in (*(path.read_text(encoding="utf-8") for path in shipped), *(file.text(host) for file in managed(unit))):
        parser.read_string(text)
    return parser


@pytest.mark.parametrize(
    "unit", [*(engine.unit for engine in engines.ENGINES if engine.started_by_us), *ON_FAILURE, ckan_unit.UNIT]
)
def test_systemd_starts_a_service_again_however_often_it_fails(host: Host, unit: str) -> None:
    found = unit_files(host, unit)
    assert found["Service"]["Restart"] == ("on-failure" if unit in ON_FAILURE else "always")
    assert found["Service"]["RestartSec"] in ("1", "100ms")
    assert found["Unit"]["StartLimitIntervalSec"] == "0"


def test_the_unit_behind_a_socket_is_started_however_often_it_fails(host: Host) -> None:
    assert unit_files(host, "dcor-store-door@.service")["Unit"]["StartLimitIntervalSec"] == "0"


#: the later, the longer it lives where the kernel needs memory; Debian's unit of PostgreSQL has -900. What is before
#: the units are our jobs and job workers (runtime/workers.py).
ORDER = (JOB, WORKER, "dcor-solr.service", ckan_unit.UNIT, "dcor-object-store.service", "redis-server@dcor.service")


def test_memory_is_given_up_in_an_order_in_which_postgresql_is_last(host: Host) -> None:
    assert {engine.unit for engine in engines.ENGINES if engine.started_by_us} < set(ORDER)
    scores = [
        it if isinstance(it, int) else int(unit_files(host, it)["Service"].get("OOMScoreAdjust", "0")) for it in ORDER
    ]
    assert scores == [*sorted(set(scores), reverse=True)]
    assert scores[-1] > -900


@pytest.mark.parametrize(
    ("status", "pending", "converges"), [(0, False, False), (3, False, True), (1, False, True), (0, True, True)]
)
def test_the_hourly_timer_converges_where_a_part_is_down_or_a_converge_is_pending(
    tmp_path: Path, status: int, pending: bool, converges: bool
) -> None:
    command, waiting = tmp_path / "dcor-server", tmp_path / "converge"
    command.write_text(f'#!/bin/sh\n[ "$1" = status ] && exit {status}\n', encoding="utf-8")
    command.chmod(0o755)
    if pending:
        waiting.touch()
    (condition,) = (
        line.split("=", 1)[1]
        for line in RETRY.read_text(encoding="utf-8").splitlines()
        if line.startswith("ExecCondition=")
    )
    script = condition.removeprefix("/bin/sh -c '").removesuffix("'")
    for path, mine in (("/usr/sbin/dcor-server", command), ("/var/lib/dcor-server/pending/converge", waiting)):
        assert path in script
        script = script.replace(path, str(mine))
    assert (subprocess.run(["/bin/sh", "-c", script], check=False).returncode == 0) is converges


def test_the_hourly_timer_asks_after_a_converge_that_runs_already() -> None:
    """That one may have passed what is down by now, and who starts its unit would get its result."""
    (after,) = re.findall(r"^After=(.*)$", RETRY.read_text(encoding="utf-8"), re.MULTILINE)
    assert "dcor-converge.service" in after.split()
